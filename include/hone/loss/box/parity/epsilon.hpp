// SPDX-License-Identifier: MIT
/// Metrics with a small number added to what they divide by, as most libraries have them. It is seen where coordinates
/// are fractions of an image: boxes of 0.01 by 0.01 have an area of 1e-4, beside which 1e-7 is a thousandth.
#pragma once

#include <hone/loss/box/ciou.hpp>
#include <hone/loss/box/giou.hpp>

namespace hone::parity {

/// I / (U + ε) - (C - U) / (C + ε)
struct epsilon_giou_metric {
  static constexpr bool uses_hull = true, uses_offset = false;

  double eps;

  template <operand V>
  HONE_HD box_metric<V> operator()(box_pair<V> b) const noexcept {
    b.whole = b.whole + V(eps);
    box_metric<V> m = iou_metric{}(b);
    detail::less_empty(b, b.x.hull * b.y.hull + V(eps), m);
    return m;
  }
};

/// Takes (ρ² + δ) / (c² + ε) from a metric.
template <operand V>
HONE_HD void less_distance(box_pair<V> const& b, double eps, double of_distance, box_metric<V>& m) noexcept {
  const V diagonal = max(detail::squared_diagonal(b) + V(eps), V(detail::smallest_area));
  detail::less_distance(b, (detail::squared_distance(b) + V(of_distance)) / diagonal, V(1) / diagonal, m);
}

/// I / (U + ε) - (ρ² + δ) / (c² + ε)
struct epsilon_diou_metric {
  static constexpr bool uses_hull = true, uses_offset = true;

  double eps;
  double of_distance = 0;  ///< δ

  template <operand V>
  HONE_HD box_metric<V> operator()(box_pair<V> b) const noexcept {
    b.whole = b.whole + V(eps);
    box_metric<V> m = iou_metric{}(b);
    parity::less_distance(b, eps, of_distance, m);
    return m;
  }
};

/// I / (U + ε) - (ρ² + δ) / (c² + ε) - α v, with η added to both heights in v, and α without gradient:
///   α = v / (1 - IoU + v + κ), or 0 up to an IoU of `above`
struct epsilon_ciou_metric {
  static constexpr bool uses_hull = true, uses_offset = true;

  double eps;
  double of_distance = 0, of_height = 0, of_alpha = 0;  ///< δ, η, κ
  double above = -1;

  template <operand V>
  HONE_HD box_metric<V> operator()(box_pair<V> b) const noexcept {
    b.whole = b.whole + V(eps);
    box_metric<V> m = iou_metric{}(b);
    const V iou = m.value, height = V(of_height);
    parity::less_distance(b, eps, of_distance, m);
    const detail::unlike_shapes<V> shapes(b.x.side, b.y.side + height, b.x.target, b.y.target + height);
    const V alpha = shapes.over(((V(1) - iou) + V(of_alpha)) + shapes.v);
    shapes.less(select(V(above) < iou, alpha, V(0)), m);
    return m;
  }
};

static_assert(box_metric_formula<epsilon_giou_metric> && box_metric_formula<epsilon_diou_metric> &&
              box_metric_formula<epsilon_ciou_metric>);

}  // namespace hone::parity

namespace hone::detail {

/// eps of a parity loss, checked.
inline double epsilon_of(const char* self, real eps) {
  require(eps >= 0 && eps <= 1, self, "eps", eps.value, "in [0, 1]");
  return eps;
}

}  // namespace hone::detail
