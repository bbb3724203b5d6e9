// SPDX-License-Identifier: MIT
/// Sums over ranks of which no bit depends on the order or the number of ranks, in five words: an exact sum without the
/// digits far below the largest number.
#pragma once

#include <hone/core/error.hpp>
#include <hone/core/operand.hpp>
#include <hone/distributed/exact_sum.hpp>

#include <algorithm>
#include <cmath>
#include <limits>

#include <hone/core/macros_push.hpp>

namespace hone::inline HONE_ABI::detail {

/// The five words of an exact sum that end with the highest bit of the largest number. Every number is cut off, by
/// itself, at least 128 bits below that bit, so the words of all ranks may be added in any order. Fewer than 2^31
/// numbers may be added, by all ranks together.
class sum_window {
 public:
  static constexpr int words = 5;

  /// `largest` is at least the magnitude of every number; infinity if one is not finite, and the sum is then NaN.
  explicit sum_window(double largest) noexcept : finite_(detail::finite(largest)) {
    const auto exponent = static_cast<int>(__builtin_bit_cast(std::uint64_t, largest) >> 52 & 0x7ff);
    lowest_ = std::max(((exponent > 0 ? exponent - 1 : 0) + 52) / 32 - (words - 1), 0);
  }

  void add(std::int64_t* to, double x) const noexcept {
    if (!finite_) return;
    exact_words::split(x, [&](int word, std::int64_t amount) {
      if (const int k = word - lowest_; k >= 0 && k < words) to[k] += amount;
    });
  }
  exact_sum sum(std::int64_t const* from) const noexcept {
    exact_sum all;
    if (!finite_) all.add(std::numeric_limits<double>::quiet_NaN());
    const auto to = all.words();
    for (int k = 0; k < words && finite_; ++k) to[std::size_t(lowest_) + std::size_t(k)] = from[k];
    all.words();  // propagates carries
    return all;
  }

 private:
  int lowest_ = 0;
  bool finite_;
};

/// Returns the magnitude of x for the largest number of a sum: infinity if x is not finite.
inline double magnitude(double x) noexcept { return finite(x) ? std::abs(x) : std::numeric_limits<double>::infinity(); }

/// A product and its rounding error: a b = product + error exactly, unless it underflows.
struct exact_product {
  double product, error;

  exact_product(double a, double b) noexcept : product(hone::exact(a * b)), error(std::fma(a, b, -product)) {}
};

/// Calls body(part) for three numbers whose sum is the value of an exact sum, up to 2^-150 of it.
template <class Body>
void for_parts(exact_sum sum, Body const& body) {
  for (int k = 0; k < 3; ++k) {
    const double part = sum.value();
    body(part);
    sum.add(-part);
  }
}

}  // namespace hone::inline HONE_ABI::detail

#include <hone/core/macros_pop.hpp>
