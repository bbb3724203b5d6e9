// SPDX-License-Identifier: MIT
/// The number types of the public interface: indices, hyper-parameters, element types.
#pragma once

#include <hone/core/config.hpp>

#include <concepts>
#include <cstdint>
#include <type_traits>

#include <hone/core/macros_push.hpp>

namespace hone::inline HONE_ABI {

/// The type of sizes, rows, columns and labels.
using index = std::int64_t;

template <class T>
concept arithmetic = std::is_arithmetic_v<T>;

/// A hyper-parameter of any arithmetic type, stored as double: `{.gamma = 2}` and `{.gamma = x}` both compile. Converts
/// to double, but not as an argument of a function that takes `...`: pass `.value` to printf.
struct real {
  double value = 0;

  constexpr real() noexcept = default;
  HONE_HD constexpr real(arithmetic auto x) noexcept : value(static_cast<double>(x)) {}
  HONE_HD constexpr operator double() const noexcept { return value; }
};

/// A count or a step of any integer type, stored as std::int64_t.
struct integer {
  std::int64_t value = 0;

  constexpr integer() noexcept = default;
  HONE_HD constexpr integer(std::integral auto x) noexcept : value(static_cast<std::int64_t>(x)) {}
  HONE_HD constexpr operator std::int64_t() const noexcept { return value; }
};

/// A number of any arithmetic type, or none.
struct optional_real {
  double value = 0;
  bool has_value = false;

  constexpr optional_real() noexcept = default;
  constexpr optional_real(arithmetic auto x) noexcept : value(static_cast<double>(x)), has_value(true) {}
};

/// A single number passed by value: a factor, or one λ.
template <class T>
concept scalar = arithmetic<T> || std::same_as<T, real> || std::same_as<T, integer>;

/// The number type of a prediction: float, double, or a 16-bit type that converts to float and back.
template <class T>
concept element = std::same_as<T, float> || std::same_as<T, double> ||
                  (sizeof(T) == 2 && std::is_class_v<T> && requires(T x, float y) {
                    static_cast<float>(x);
                    static_cast<T>(y);
                  });

namespace detail {

/// The largest number of elements of a view: 2^57, more than any address space holds. Sizes and byte counts of views
/// within this limit never overflow.
inline constexpr index max_numbers = index(1) << 57;

/// Returns a · b for sizes: the smaller one if either is negative, and the largest index if the product overflows.
constexpr index product_of_sizes(index a, index b) noexcept {
  if (a < 0 || b < 0) return a < b ? a : b;
  index product = 0;
  return __builtin_mul_overflow(a, b, &product) ? INT64_MAX : product;
}

}  // namespace detail

/// The type of all arithmetic and of losses: double for double, float for every narrower type.
template <class T>
using accumulator_t = std::conditional_t<std::is_same_v<std::remove_const_t<T>, double>, double, float>;

}  // namespace hone::inline HONE_ABI

#include <hone/core/macros_pop.hpp>
