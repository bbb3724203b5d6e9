// SPDX-License-Identifier: MIT
/// The sums that a sweep over gradients computes, and the range in which single-precision sums are accurate.
#pragma once

#include <hone/core/config.hpp>

#include <hone/core/macros_push.hpp>

namespace hone::inline HONE_ABI::detail {

/// g_squares = Σ g², g_absolute = Σ |g|; squares, absolute: of y = clamp(scale · g, ±limit); largest: max |scale · g|.
struct power_sums {
  double g_squares = 0, g_absolute = 0, squares = 0, absolute = 0, largest = 0;

  HONE_HD void add(power_sums const& b) noexcept {
    g_squares += b.g_squares, g_absolute += b.g_absolute, squares += b.squares, absolute += b.absolute;
    largest = b.largest > largest ? b.largest : largest;
  }
  /// Returns the contribution to the p-norm of factor · y. Combine contributions with combine_powers.
  HONE_HD double power(double p, double factor, double limit) const noexcept {
    if (p == 2) return factor * (factor * squares);
    return factor * (p == 1 ? absolute : largest < limit ? largest : limit);
  }
};

HONE_HD inline double combine_powers(double a, double b, double p) noexcept {
  return p == 1 || p == 2 ? a + b : b > a ? b : a;
}

/// The sums that a sweep computes: Σ g² only, or all.
struct norm_request {
  bool squares_only;
  double scale, limit;
};

/// Returns whether a sum of up to a few thousand squares in A is accurate: no square overflowed, and squares that
/// underflowed do not matter. False for NaN.
template <class A, class Sum>
HONE_HD constexpr bool in_range(Sum squares) noexcept {
  return sizeof(A) == 8 ? squares > Sum(0) : squares > Sum(0x1p-86) && squares < Sum(0x1p120);
}

/// Adds one number to the sums, in double.
template <class A>
HONE_HD void add_carefully(power_sums& s, A g, norm_request how) noexcept {
  const double x = static_cast<double>(g), scaled = x * how.scale, y = scaled < 0 ? -scaled : scaled,
               clipped = y > how.limit ? how.limit : y;
  s.g_squares += x * x, s.g_absolute += x < 0 ? -x : x;
  s.squares += how.squares_only ? x * x : clipped * clipped, s.absolute += clipped;
  s.largest = y > s.largest ? y : s.largest;
}

}  // namespace hone::inline HONE_ABI::detail

#include <hone/core/macros_pop.hpp>
