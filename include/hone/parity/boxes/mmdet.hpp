// SPDX-License-Identifier: MIT
/// The box losses of mmdet 3.3.0. The default eps is 1e-7, as in mmdet's functions; its classes, which configurations
/// use, pass 1e-6. Not included: eiou_loss and bounded_iou_loss, because they differ from the losses of their papers,
/// which hone has under these names.
#pragma once

#include <hone/loss/box/siou.hpp>
#include <hone/parity/boxes/epsilon.hpp>

#include <hone/core/macros_push.hpp>

namespace hone::inline HONE_ABI::parity {

struct mmdet_options {
  real eps = 1e-7;  ///< in [0, 1]
};

/// bbox_overlaps: areas are clamped from below, and a clamped area is a constant.
///   I / max(U, ε)
struct mmdet_iou_metric {
  double eps;

  template <operand V, class Format>
  HONE_HD HONE_INLINE box_metric<V> operator()(box_pair<V, Format> b) const noexcept {
    const V min_area = max(V(eps), V(detail::smallest_area));
    const auto held = b.union_area < min_area;  // U is constant, only I has a derivative
    b.measure(min_area);
    const V inverse = V(1) / b.union_area;
    const detail::fraction<V> iou(b.intersection, b.missed, inverse);
    const V by_area = select(held, V(0), iou.part);
    const detail::pair_slope<V> slope = detail::slope_by_areas(b, by_area, V(1) + by_area);
    return {iou.part, iou.missing, detail::times(inverse, detail::by_lengths(b, slope))};
  }
};

/// I / max(U, ε) - (C' - U') / C', with U' and C' clamped in the same way.
struct mmdet_giou_metric {
  double eps;

  template <operand V, class Format>
  HONE_HD HONE_INLINE box_metric<V> operator()(box_pair<V, Format> b) const noexcept {
    const V min_area = max(V(eps), V(detail::smallest_area)), none = V(0), hull = b.x.hull * b.y.hull;
    const auto held = b.union_area < min_area;
    box_metric<V> m = mmdet_iou_metric{eps}(b);
    const V inverse = V(1) / max(hull, min_area),
            empty = select(held, max(hull, min_area) - min_area, detail::empty_area(b));
    b.measure(min_area);
    const detail::fraction<V> filled(b.union_area, empty, inverse);
    b.x.side = select(held, none, b.x.side), b.x.overlap = select(held, none, b.x.overlap);  // U is constant
    b.y.side = select(held, none, b.y.side), b.y.overlap = select(held, none, b.y.overlap);
    const V by_hull = select(hull < min_area, none, filled.part);
    m.less(filled.missing);
    m.grad = detail::plus(m.grad, detail::by_lengths(b, detail::empty_slope(b, by_hull, inverse)));
    return m;
  }
};

/// SIoU with the opposite sign: neg_gamma=False, the default. ε is added to U, to the distances of the centres (target
/// minus prediction) and to the heights in Ω; sides of the hull are at least ε.
///   1 - min(IoU - (Δ + Ω) / 2, 1),   Δ = Σ 1 - exp(+(2 - Λ) (d/C)²)
/// Δ decreases with the distance: boxes far apart have value 0 and no gradient.
struct mmdet_siou_formula {
  double eps;

  template <operand V, class Format>
  HONE_HD HONE_INLINE box_grad<V> operator()(box_pair<V, Format> b) const noexcept {
    const V epsilon = V(eps), none = V(0);
    b.widen(epsilon);
    box_metric<V> m = iou_metric{}(b);
    box_axis<V> x = b.x, y = b.y;
    x.offset = x.offset - epsilon, y.offset = y.offset - epsilon;
    x.hull = max(x.hull, epsilon), y.hull = max(y.hull, epsilon);
    y.side = y.side + epsilon, y.target = y.target + epsilon;
    axis_slope<V> by_x, by_y;
    detail::siou_costs<true>::less(x, y, by_x, by_y, m);
    by_x.hull = select(b.x.hull < epsilon, none, by_x.hull), by_y.hull = select(b.y.hull < epsilon, none, by_y.hull);
    detail::add_slopes(b, by_x, by_y, m);
    return {max(m.lost, none), detail::times(select(m.lost < none, none, V(1)), m.grad)};
  }
};

/// iou_loss in its default mode, "log":
///   -log max(I / max(U, 1e-6), 1e-6)
/// Differs from hone::log_iou_loss if U is below 1e-6.
template <class Boxes, class Format = corners_format>
auto mmdet_iou_loss(Boxes boxes, Format format = {}) {
  return detail::box_loss(minus_log<mmdet_iou_metric>{{1e-6}}, format, boxes);
}
/// giou_loss:
///   1 - I / U + (C - U) / C, U and C at least eps
template <class Boxes, class Format = corners_format>
auto mmdet_giou_loss(Boxes boxes, mmdet_options options = {}, Format format = {}) {
  const double eps = detail::epsilon_of("mmdet_giou_loss", options.eps);
  return detail::box_loss(one_minus<mmdet_giou_metric>{{eps}}, format, boxes);
}
template <class Boxes, class Format>
auto mmdet_giou_loss(Boxes boxes, Format format) {
  return parity::mmdet_giou_loss(boxes, mmdet_options(), format);
}
/// diou_loss:
///   1 - I / (U + eps) + ρ² / (c² + eps)
template <class Boxes, class Format = corners_format>
auto mmdet_diou_loss(Boxes boxes, mmdet_options options = {}, Format format = {}) {
  const double eps = detail::epsilon_of("mmdet_diou_loss", options.eps);
  return detail::box_loss(one_minus<epsilon_diou_metric>{{eps}}, format, boxes);
}
template <class Boxes, class Format>
auto mmdet_diou_loss(Boxes boxes, Format format) {
  return parity::mmdet_diou_loss(boxes, mmdet_options(), format);
}
/// ciou_loss:
///   1 - I / (U + eps) + ρ² / (c² + eps) + α v,   α = v / (1 - IoU + v) above an IoU of 0.5, otherwise 0
/// eps is also added to the heights in v. mmdet clamps the metric to [-1, 1], which contains it anyway. mmdet's value
/// is NaN for equal boxes if adding eps does not change U, which begins at an area of 2 in float; here it is 0.
template <class Boxes, class Format = corners_format>
auto mmdet_ciou_loss(Boxes boxes, mmdet_options options = {}, Format format = {}) {
  const double eps = detail::epsilon_of("mmdet_ciou_loss", options.eps);
  return detail::box_loss(one_minus<epsilon_ciou_metric>{{.eps = eps, .of_height = eps, .above = 0.5}}, format, boxes);
}
template <class Boxes, class Format>
auto mmdet_ciou_loss(Boxes boxes, Format format) {
  return parity::mmdet_ciou_loss(boxes, mmdet_options(), format);
}
/// siou_loss with neg_gamma=False. With neg_gamma=True it equals hone::siou_loss except for eps. mmdet's value is NaN
/// for two boxes without width; here it is finite.
template <class Boxes, class Format = corners_format>
auto mmdet_siou_loss(Boxes boxes, mmdet_options options = {}, Format format = {}) {
  const double eps = detail::epsilon_of("mmdet_siou_loss", options.eps);
  return detail::box_loss(mmdet_siou_formula{eps}, format, boxes);
}
template <class Boxes, class Format>
auto mmdet_siou_loss(Boxes boxes, Format format) {
  return parity::mmdet_siou_loss(boxes, mmdet_options(), format);
}

}  // namespace hone::inline HONE_ABI::parity

#include <hone/core/macros_pop.hpp>
