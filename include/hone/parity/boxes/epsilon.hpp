// SPDX-License-Identifier: MIT
/// Metrics with a small number added to their divisors, as in most libraries. The effect is visible if coordinates are
/// fractions of an image: a box of 0.01 x 0.01 has an area of 1e-4, of which 1e-7 is a thousandth.
#pragma once

#include <hone/loss/box/ciou.hpp>
#include <hone/loss/box/giou.hpp>

#include <hone/core/macros_push.hpp>

namespace hone::inline HONE_ABI::parity {

/// I / (U + ε) - (C - U) / (C + ε)
struct epsilon_giou_metric {
  double eps;

  template <operand V, class Format>
  HONE_HD HONE_INLINE box_metric<V> operator()(box_pair<V, Format> b) const noexcept {
    b.widen(V(eps));
    return detail::giou_of(b, V(1) / max(b.x.hull * b.y.hull + V(eps), V(detail::smallest_area)));
  }
};

/// Returns (ρ² + δ) / (c² + ε).
template <class Format, operand V>
HONE_HD HONE_INLINE detail::relative_distance<V> distance_of(box_pair<V, Format> const& b, double eps,
                                                             double of_distance) noexcept {
  const V inverse = V(1) / max(detail::squared_diagonal(b) + V(eps), V(detail::smallest_area));
  return {b, exact((detail::squared_distance(b) + V(of_distance)) * inverse), inverse};
}

/// I / (U + ε) - (ρ² + δ) / (c² + ε)
struct epsilon_diou_metric {
  double eps;
  double of_distance = 0;  ///< δ

  template <operand V, class Format>
  HONE_HD HONE_INLINE box_metric<V> operator()(box_pair<V, Format> b) const noexcept {
    b.widen(V(eps));
    const detail::relative_distance<V> distance = distance_of(b, eps, of_distance);
    return detail::iou_part<V>(b).less(b, distance.value, distance.x, distance.y);
  }
};

/// I / (U + ε) - (ρ² + δ) / (c² + ε) - α v, with η added to both heights in v, and α without gradient:
///   α = v / (1 - IoU + v + κ), or 0 if IoU <= `above`
struct epsilon_ciou_metric {
  double eps;
  double of_distance = 0, of_height = 0, of_alpha = 0;  ///< δ, η, κ
  double above = -1;

  template <operand V, class Format>
  HONE_HD HONE_INLINE box_metric<V> operator()(box_pair<V, Format> b) const noexcept {
    b.widen(V(eps));
    const detail::iou_part<V> m(b);
    const V height = V(of_height);
    const detail::aspect_penalty<V> shapes(b.x.side, b.y.side + height, b.x.target, b.y.target + height);
    const V alpha = select(V(above) * b.union_area < b.intersection, shapes.over(m.iou.missing, V(of_alpha)), V(0));
    detail::relative_distance<V> distance = distance_of(b, eps, of_distance);
    const V more = shapes.weighted(alpha, distance.x, distance.y);
    return m.less(b, distance.value + more, distance.x, distance.y);
  }
};

}  // namespace hone::inline HONE_ABI::parity

namespace hone::inline HONE_ABI::detail {

/// Returns the eps of a parity loss. Throws hone::invalid_argument if it is not in [0, 1].
inline double epsilon_of(const char* self, real eps) {
  require(eps >= 0 && eps <= 1, self, "eps", eps.value, "in [0, 1]");
  return eps;
}

}  // namespace hone::inline HONE_ABI::detail

#include <hone/core/macros_pop.hpp>
