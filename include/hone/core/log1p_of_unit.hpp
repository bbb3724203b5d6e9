// SPDX-License-Identifier: MIT
/// The polynomial by which every backend computes log(1 + x) in float, for x in [0, 1].
#pragma once

#include <hone/core/config.hpp>

#include <hone/core/macros_push.hpp>

namespace hone::inline HONE_ABI::detail {

/// log(1 + x) = x + x² r(x); the coefficients of r. With one rounding per step the result is within 2.5 ulp.
struct log1p_of_unit_series {
  static constexpr float c0 = -0.49999647964f, c1 = 0.33321322645f, c2 = -0.24857163910f, c3 = 0.19153655972f,
                         c4 = -0.13753804684f, c5 = 0.07920456470f, c6 = -0.03006581102f, c7 = 0.00536482919f;

  /// Computes it by Horner's rule, where fma(a, b, c) = a b + c.
  template <class V, class Fma>
  HONE_HD static V at(V x, Fma const& fma) noexcept {
    V r = fma(x, V(c7), V(c6));
    r = fma(x, r, V(c5));
    r = fma(x, r, V(c4));
    r = fma(x, r, V(c3));
    r = fma(x, r, V(c2));
    r = fma(x, r, V(c1));
    r = fma(x, r, V(c0));
    return fma(x * x, r, x);
  }
};

}  // namespace hone::inline HONE_ABI::detail

#include <hone/core/macros_pop.hpp>
