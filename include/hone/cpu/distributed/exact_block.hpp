// SPDX-License-Identifier: MIT
/// Adds many numbers to an exact sum at once, by packs, and from several threads.
#pragma once

#include <hone/cpu/simd/pack.hpp>
#include <hone/distributed/exact_sum.hpp>

#include <algorithm>
#include <cfloat>
#include <mutex>

#include <hone/core/macros_push.hpp>

namespace hone::inline HONE_ABI::on_cpu {

/// The most numbers of a block, and what its memory is padded to.
inline constexpr index exact_block = 1024, exact_padding = 16;

/// An exact sum that several threads of a call add to. What they add are integers, so the order changes no bit.
class shared_exact_sum {
 public:
  void add(double x) {
    const std::lock_guard lock(mutex_);
    sum_.add(x);
  }
  exact_sum const& get() const noexcept { return sum_; }

 private:
  std::mutex mutex_;
  exact_sum sum_;
};

/// Returns Σ abs(x), in any order.
inline double sum_of_magnitudes(double const* x, index padded) noexcept {
  using V = pack<double>;
  V a(0), b(0);
  for (index i = 0; i < padded; i += index(2) * V::size) a += abs(V::load(x + i)), b += abs(V::load(x + i + V::size));
  return sum(a + b);
}

/// Replaces every number by its distance from the nearest multiple of a power of two, and returns the sum of these
/// multiples in `parts` and Σ abs(distance) in `rest`. c is 1.5 · 2^k; multiples are those of the last bit of c.
inline void take_parts(double* x, index padded, double c_, double& parts, double& rest) noexcept {
  using V = pack<double>;
  const V c(c_);
  V a(0), b(0), d(0), e(0);
  for (index i = 0; i < padded; i += index(2) * V::size) {
    const V u = V::load(x + i), v = V::load(x + i + V::size);
    const V p = exact(exact(u + c) - c), q = exact(exact(v + c) - c);
    const V r = u - p, s = v - q;
    a += p, b += q;
    d += abs(r), e += abs(s);
    r.store(x + i), s.store(x + i + V::size);
  }
  parts = sum(a + b), rest = sum(d + e);
}

/// Adds n numbers, at most exact_block of them, without rounding. Overwrites them; `x` has room for n rounded up to
/// exact_padding. Every round takes from each number the multiple of 2^(e - 51) that is nearest to it, where the
/// magnitudes sum up to at most 2^e: these multiples, and all their partial sums, are integers below 2^53 times that
/// power, so no order of adding rounds. What is left is less than 2^(e - 51) per number (Demmel and Nguyen 2013, "Fast
/// reproducible floating-point summation"). Most blocks take two rounds. Where the processor flushes subnormal numbers,
/// digits below 2^-1022 may be lost.
template <class Sum>
[[gnu::noinline]] void add_block(double* x, index n, Sum& to) {
  constexpr bool splits = FLT_EVAL_METHOD == 0;
  const index padded = (n + exact_padding - 1) / exact_padding * exact_padding;
  std::fill(x + n, x + padded, 0.0);
  double rest = splits ? sum_of_magnitudes(x, padded) : 1;
  while (const auto bits = __builtin_bit_cast(std::uint64_t, rest)) {  // the bits, because rest may be NaN
    const int e = static_cast<int>(bits >> 52 & 0x7ff) - 1022;
    if (!splits || e > 1000 || e < -900) {  // infinite, NaN, huge, or near the smallest numbers
      for (index i = 0; i < n; ++i) to.add(x[i]);
      return;
    }
    const auto c = __builtin_bit_cast(double, static_cast<std::uint64_t>(e + 1 + 1023) << 52 | std::uint64_t(1) << 51);
    double parts = 0;
    take_parts(x, padded, c, parts, rest);
    to.add(parts);
  }
}

/// Collects numbers and adds them in blocks.
class exact_adder {
 public:
  explicit exact_adder(shared_exact_sum& to) noexcept : to_(to) {}

  /// Returns where the next numbers go, at most `room` of them; count(n) says how many were stored.
  double* next(index room) {
    if (size_ + room > exact_block) flush();
    return numbers_ + size_;
  }
  void count(index n) noexcept { size_ += n; }
  /// Adds n numbers, at most exact_block of them.
  template <class A>
  void add(A const* x, index n) {
    double* const to = next(n);
    index i = 0;
    for (; i + 16 <= n; i += 16)  // a constant number, for which g++ -O2 uses packs
      for (index k = 0; k < 16; ++k) to[i + k] = static_cast<double>(x[i + k]);
    for (; i < n; ++i) to[i] = static_cast<double>(x[i]);
    size_ += n;
  }
  void flush() {
    if (size_ > 0) add_block(numbers_, size_, to_);
    size_ = 0;
  }

 private:
  shared_exact_sum& to_;
  index size_ = 0;
  double numbers_[exact_block + exact_padding];
};

}  // namespace hone::inline HONE_ABI::on_cpu

#include <hone/core/macros_pop.hpp>
