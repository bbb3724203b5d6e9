// SPDX-License-Identifier: MIT
/// A view of the caller's numbers per row or per class. The type, float or double, is stored at run time, so that
/// weights and λ do not multiply the number of kernels.
#pragma once

#include <hone/core/config.hpp>
#include <hone/core/contiguous.hpp>
#include <hone/core/error.hpp>

#include <hone/core/macros_push.hpp>

namespace hone::inline HONE_ABI {

class numbers {
 public:
  constexpr numbers() noexcept = default;
  constexpr numbers(float const* data, index size) noexcept : data_(data), size_(size) {}
  constexpr numbers(double const* data, index size) noexcept : data_(data), size_(size), wide_(true) {}

  /// Views a std::vector, std::span or another vector of float or double (core/contiguous.hpp). A temporary vector
  /// does not compile, because the view would dangle.
  template <detail::contiguous_reals R>
  constexpr numbers(R&& range) noexcept : numbers(detail::data_of(range), detail::count_of(range)) {
    static_assert(detail::outlives_call<R>,
                  "hone: numbers per row or class are viewed, not copied: give the vector a name first");
  }

  /// Views one number and uses it for every row.
  template <std::floating_point T>
  static constexpr numbers repeated(T const* number) noexcept {
    numbers one(number, 1);
    one.repeated_ = true;
    return one;
  }

  HONE_HD constexpr index size() const noexcept { return size_; }
  HONE_HD constexpr void const* data() const noexcept { return data_; }
  HONE_HD constexpr index number_bytes() const noexcept { return wide_ ? sizeof(double) : sizeof(float); }
  HONE_HD constexpr bool is_repeated() const noexcept { return repeated_; }
  /// Views numbers [first, first + count); one that is used for every row stays the same.
  constexpr numbers part(index first, index count) const noexcept {
    if (repeated_) return *this;
    if (wide_) return {static_cast<double const*>(data_) + first, count};
    return {static_cast<float const*>(data_) + first, count};
  }
  HONE_HD double operator[](index i) const noexcept { return as<double>(i); }
  /// Returns number i in the type of the arithmetic, because a conversion through double is expensive on a GPU.
  template <class A>
  HONE_HD A as(index i) const noexcept {
    if (repeated_) i = 0;
    return wide_ ? static_cast<A>(static_cast<double const*>(data_)[i])
                 : static_cast<A>(static_cast<float const*>(data_)[i]);
  }

 private:
  void const* data_ = nullptr;
  index size_ = 0;
  bool wide_ = false, repeated_ = false;
};

namespace detail {

/// True if an argument can be viewed as numbers. Functions with such arguments reject others with one clear message.
template <class Numbers>
inline constexpr bool makes_numbers = std::constructible_from<numbers, Numbers>;

/// Checks of a vector of numbers at the start of evaluate: fail if its size is wrong, or if valid(number) is false.
inline void require_size(numbers x, index size, const char* what, const char* per) {
  if (x.size() != size)
    fail("evaluate: %jd %ss for %jd %s%s", std::intmax_t(x.size()), what, std::intmax_t(size), per,
         per[__builtin_strlen(per) - 1] == 's' ? "es" : "s");
}
template <class Valid>
void require_values(numbers x, const char* what, const char* per, Valid valid, const char* range) {
  for (index i = 0; i < x.size(); ++i)
    if (!valid(x[i])) fail("evaluate: %s of %s %jd is %.9g, must be %s", what, per, std::intmax_t(i), x[i], range);
}

}  // namespace detail
}  // namespace hone::inline HONE_ABI

#include <hone/core/macros_pop.hpp>
