// SPDX-License-Identifier: MIT
/// The modulating factor m^γ of the focal losses, and its slope.
#pragma once

#include <hone/core/coefficient.hpp>
#include <hone/core/operand.hpp>

#include <hone/core/macros_push.hpp>

namespace hone::inline HONE_ABI {

/// m^γ, and m^(γ-1) · slope_factor as its slope, for m >= 0 and γ >= 0; slope_factor <= const · m keeps the slope
/// finite. Both have the factor `outer`, so that a gradient multiplies by it last. The exponents of the papers need no
/// logarithm. At m = 0 the slope is 0: it has a pole there for γ < 1, a kink for γ = 1.
template <operand V>
struct modulation {
  V outer, weight_inside, slope_inside;
  V weight, slope;  // outer · weight_inside, outer · slope_inside

  HONE_HD HONE_INLINE modulation(V m, V slope_factor, exponent const& gamma)
      : outer(m), weight_inside(m), slope_inside(slope_factor), weight(m), slope(slope_factor) {
    if (gamma.is(exponent::kind::two)) {
      // m · m and m · slope_factor
    } else if (gamma.is(exponent::kind::one)) {
      outer = V(1), slope_inside = select(m == V(0), V(0), slope_factor);
    } else if (gamma.is(exponent::kind::zero)) {
      outer = V(1), weight_inside = V(1), slope_inside = select(m == V(0), V(0), slope_factor / divisor(m));
    } else if (gamma.is(exponent::kind::four)) {
      outer = m * m * m;
    } else {
      outer = exp(gamma.positive().as<V>() * log(m));
      weight_inside = V(1), slope_inside = select(m == V(0), V(0), slope_factor / divisor(m));
    }
    weight = outer * weight_inside, slope = outer * slope_inside;
  }

 private:
  /// Avoids every division by 0, also where the result is not used, because it would raise an exception.
  HONE_HD static V divisor(V m) { return select(m == V(0), V(1), m); }
};

}  // namespace hone::inline HONE_ABI

#include <hone/core/macros_pop.hpp>
