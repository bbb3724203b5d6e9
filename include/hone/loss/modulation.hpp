// SPDX-License-Identifier: MIT
/// The modulating factor m^γ of the focal losses, and its slope.
#pragma once

#include <hone/core/operand.hpp>

#include <hone/core/macros_push.hpp>

namespace hone::inline HONE_ABI {

/// m^γ, and m^(γ-1) · rest as its slope, for m >= 0 and γ >= 0; rest <= const · m keeps the slope finite. The exponents
/// of the papers need no logarithm. At m = 0 the slope is 0: it has a pole there for γ < 1, a kink for γ = 1.
template <operand V>
struct modulation {
  V weight, slope;

  HONE_HD modulation(V m, V rest, double gamma) : weight(V(1)), slope(V(0)) {
    if (gamma == 2) {
      weight = m * m;
      slope = m * rest;
    } else if (gamma == 1) {
      weight = m;
      slope = select(m == V(0), V(0), rest);
    } else if (gamma == 0) {
      slope = select(m == V(0), V(0), rest / divisor(m));
    } else if (gamma == 4) {
      const V square = m * m;
      weight = square * square;
      slope = m * square * rest;
    } else {
      weight = exp(V(gamma < 1e-30 ? 1e-30 : gamma) * log(m));  // γ rounded to 0 in float would give NaN at m = 0
      slope = select(m == V(0), V(0), weight * (rest / divisor(m)));
    }
  }

 private:
  /// Avoids every division by 0, also where the result is not used, because it would raise an exception.
  HONE_HD static V divisor(V m) { return select(m == V(0), V(1), m); }
};

}  // namespace hone::inline HONE_ABI

#include <hone/core/macros_pop.hpp>
