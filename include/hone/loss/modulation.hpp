// SPDX-License-Identifier: MIT
/// The modulating factor m^γ that the focal family multiplies losses with, and its slope.
#pragma once

#include <hone/core/operand.hpp>

namespace hone {

/// m^γ and m^(γ-1) · rest for m >= 0 and γ >= 0, where rest <= const · m keeps the slope finite. The exponents
/// of the papers take no logarithm. At m = 0 the slope is 0: below γ = 1 it has a pole there.
template <operand V>
struct modulation {
  V weight, slope;

  HONE_HD modulation(V m, V rest, double gamma) : weight(V(1)), slope(V(0)) {
    if (gamma == 2) {
      weight = m * m;
      slope = m * rest;
    } else if (gamma == 1) {
      weight = m;
      slope = rest;
    } else if (gamma == 0) {
      slope = select(m == V(0), V(0), rest / m);
    } else if (gamma == 4) {
      const V square = m * m;
      weight = square * square;
      slope = m * square * rest;
    } else {
      weight = exp(V(gamma) * log(m));
      slope = select(m == V(0), V(0), weight * (rest / m));
    }
  }
};

}  // namespace hone
