// SPDX-License-Identifier: MIT
/// The polynomial by which every backend computes an angle in float, from a tangent in [0, 1].
#pragma once

#include <hone/core/config.hpp>

#include <hone/core/macros_push.hpp>

namespace hone::inline HONE_ABI::detail {

/// atan(t) = t + t z r(z) with z = t²; the coefficients of r.
struct angle_series {
  static constexpr float c0 = -0.33333152735f, c1 = 0.19993772817f, c2 = -0.14211055156f, c3 = 0.10666004003f,
                         c4 = -0.075522128231f, c5 = 0.043211842281f, c6 = -0.016367915829f, c7 = 0.0029206889947f;

  /// Computes it by Horner's rule, where fma(a, b, c) = a b + c.
  template <class V, class Fma>
  HONE_HD static V at(V t, Fma const& fma) noexcept {
    const V z = t * t;
    V r = fma(z, V(c7), V(c6));
    r = fma(z, r, V(c5));
    r = fma(z, r, V(c4));
    r = fma(z, r, V(c3));
    r = fma(z, r, V(c2));
    r = fma(z, r, V(c1));
    r = fma(z, r, V(c0));
    return fma(t * z, r, t);
  }
};

}  // namespace hone::inline HONE_ABI::detail

#include <hone/core/macros_pop.hpp>
