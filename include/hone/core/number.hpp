// SPDX-License-Identifier: MIT
/// The numbers that cross the public face: indices, hyper-parameters, element types.
#pragma once

#include <hone/core/config.hpp>

#include <concepts>
#include <cstdint>
#include <type_traits>

namespace hone {

/// Sizes, rows, columns and labels.
using index = std::int64_t;

template <class T>
concept arithmetic = std::is_arithmetic_v<T>;

/// A hyper-parameter of any arithmetic type, held as double: `{.gamma = 2}` and `{.gamma = x}` both compile.
struct real {
  double value = 0;

  constexpr real() noexcept = default;
  HONE_HD constexpr real(arithmetic auto x) noexcept : value(static_cast<double>(x)) {}
  HONE_HD constexpr operator double() const noexcept { return value; }
};

/// A count or a step of any integer type, held as std::int64_t.
struct integer {
  std::int64_t value = 0;

  constexpr integer() noexcept = default;
  HONE_HD constexpr integer(std::integral auto x) noexcept : value(static_cast<std::int64_t>(x)) {}
  HONE_HD constexpr operator std::int64_t() const noexcept { return value; }
};

/// A number of any arithmetic type, or none.
struct optional_real {
  double value = 0;
  bool given = false;

  constexpr optional_real() noexcept = default;
  constexpr optional_real(arithmetic auto x) noexcept : value(static_cast<double>(x)), given(true) {}
};

/// What a prediction is made of: float, double, or a 16-bit type that converts to float and back.
template <class T>
concept element = std::same_as<T, float> || std::same_as<T, double> ||
                  (sizeof(T) == 2 && std::is_class_v<T> && requires(T x, float y) {
                    static_cast<float>(x);
                    static_cast<T>(y);
                  });

/// The type of all arithmetic and of losses: double for double, float for everything narrower.
template <class T>
using accumulator_t = std::conditional_t<std::is_same_v<std::remove_const_t<T>, double>, double, float>;

}  // namespace hone
