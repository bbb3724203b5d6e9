// SPDX-License-Identifier: MIT
/// What is summed up of gradients, and which sums in single precision can be trusted.
#pragma once

#include <hone/core/config.hpp>

namespace hone::detail {

/// Of g, and of y = clamp(scale · g, ±limit).
struct power_sums {
  double g_squares = 0, squares = 0, absolute = 0, largest = 0;

  HONE_HD void add(power_sums const& b) noexcept {
    g_squares += b.g_squares, squares += b.squares, absolute += b.absolute;
    largest = b.largest > largest ? b.largest : largest;
  }
};

/// What is wanted of a sweep: squares of g alone, or all.
struct y_of_g {
  bool squares_only;
  double scale, limit;
};

/// Whether a sum of up to a few thousand squares in A has lost nothing: none overflowed, and what vanished does not
/// count. NaN is not.
template <class A>
HONE_HD constexpr bool is_whole(double squares) noexcept {
  return sizeof(A) == 8 ? squares > 0 : squares > 0x1p-86 && squares < 0x1p120;
}

/// Number by number, in double.
template <class A>
HONE_HD void add_carefully(power_sums& s, A g, y_of_g how) noexcept {
  const double x = static_cast<double>(g), scaled = x * how.scale, y = scaled < 0 ? -scaled : scaled,
               least = y > how.limit ? how.limit : y;
  s.g_squares += x * x, s.squares += how.squares_only ? x * x : least * least, s.absolute += least;
  s.largest = y > s.largest ? y : s.largest;
}

}  // namespace hone::detail
