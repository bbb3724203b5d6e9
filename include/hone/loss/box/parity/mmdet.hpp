// SPDX-License-Identifier: MIT
/// mmdet's losses of boxes, as version 3.3.0 has them. eps is 1e-7 in its functions, as here; its classes, which
/// configurations name, pass 1e-6 on. Not here: its eiou_loss and bounded_iou_loss, which are other losses than those
/// of their papers' names in hone.
#pragma once

#include <hone/loss/box/parity/epsilon.hpp>
#include <hone/loss/box/siou.hpp>

namespace hone::parity {

struct mmdet_options {
  real eps = 1e-7;  ///< in [0, 1]
};

/// bbox_overlaps: areas below a least one count as that, and are constants then.
///   I / max(U, ε)
struct mmdet_iou_metric {
  static constexpr bool uses_hull = false, uses_offset = false;

  double eps;

  template <operand V>
  HONE_HD box_metric<V> operator()(box_pair<V> b) const noexcept {
    const V whole = b.whole, least = V(eps);
    b.whole = max(whole, least);
    box_metric<V> m = iou_metric{}(b);
    hold(whole < least, b, m);
    return m;
  }

  /// The derivative while U is held: only I moves.
  template <class Mask, operand V>
  HONE_HD static void hold(Mask held, box_pair<V> const& b, box_metric<V>& m) noexcept {
    const V whole = max(b.whole, V(detail::smallest_area));
    m.x.side = select(held, V(0), m.x.side), m.x.overlap = select(held, b.y.overlap / whole, m.x.overlap);
    m.y.side = select(held, V(0), m.y.side), m.y.overlap = select(held, b.x.overlap / whole, m.y.overlap);
  }
};

/// I / max(U, ε) - (C' - U') / C', with U' and C' held in the same way.
struct mmdet_giou_metric {
  static constexpr bool uses_hull = true, uses_offset = false;

  double eps;

  template <operand V>
  HONE_HD box_metric<V> operator()(box_pair<V> b) const noexcept {
    const V whole = b.whole, hull = b.x.hull * b.y.hull, least = V(eps), none = V(0);
    b.whole = max(whole, least);
    box_metric<V> m = iou_metric{}(b);
    detail::less_empty(b, max(hull, least), m);
    mmdet_iou_metric::hold(whole < least, b, m);
    m.x.hull = select(hull < least, none, m.x.hull), m.y.hull = select(hull < least, none, m.y.hull);
    return m;
  }
};

/// SIoU with the other sign: neg_gamma=False, the default. ε is added to U, to the distances of the centres (target
/// less prediction) and to the heights in Ω; sides of the hull are at least ε.
///   1 - min(IoU - (Δ + Ω) / 2, 1),   Δ = Σ 1 - exp(+(2 - Λ) (d/C)²)
/// Δ falls with the distance: boxes far apart have the value 0 and no gradient.
struct mmdet_siou_formula {
  double eps;

  template <operand V>
  HONE_HD box_grad<V> operator()(box<V> const& predicted, box<V> const& target) const noexcept {
    box_pair<V> b(predicted, target);
    const V least = V(eps), none = V(0);
    b.whole = b.whole + least;
    box_metric<V> m = iou_metric{}(b);
    box_axis<V> x = b.x, y = b.y;
    x.offset = x.offset - least, y.offset = y.offset - least;
    x.hull = max(x.hull, least), y.hull = max(y.hull, least);
    y.side = y.side + least, y.target = y.target + least;
    detail::siou_costs<true>::less(x, y, m);
    m.x.hull = select(b.x.hull < least, none, m.x.hull), m.y.hull = select(b.y.hull < least, none, m.y.hull);
    return {V(1) - min(m.value, V(1)),
            detail::times(select(V(1) < m.value, none, V(1)), detail::fall_by_corners<siou_metric>(b, m))};
  }
};

/// iou_loss in its default mode, "log":
///   -log max(I / max(U, 1e-6), 1e-6)
/// Differs from hone::log_iou_loss for boxes smaller than 1e-6.
template <class Boxes, class Format = corners_format>
auto mmdet_iou_loss(Boxes boxes, Format format = {}) {
  detail::require_box_targets<Boxes, Format>();
  return detail::box_loss(minus_log<mmdet_iou_metric>{{1e-6}}, format, boxes);
}
/// giou_loss:
///   1 - I / U + (C - U) / C, U and C at least eps
template <class Boxes, class Format = corners_format>
auto mmdet_giou_loss(Boxes boxes, mmdet_options options = {}, Format format = {}) {
  detail::require_box_targets<Boxes, Format>();
  const double eps = detail::epsilon_of("mmdet_giou_loss", options.eps);
  return detail::box_loss(one_minus<mmdet_giou_metric>{{eps}}, format, boxes);
}
/// diou_loss:
///   1 - I / (U + eps) + ρ² / (c² + eps)
template <class Boxes, class Format = corners_format>
auto mmdet_diou_loss(Boxes boxes, mmdet_options options = {}, Format format = {}) {
  detail::require_box_targets<Boxes, Format>();
  const double eps = detail::epsilon_of("mmdet_diou_loss", options.eps);
  return detail::box_loss(one_minus<epsilon_diou_metric>{{eps}}, format, boxes);
}
/// ciou_loss:
///   1 - I / (U + eps) + ρ² / (c² + eps) + α v,   α = v / (1 - IoU + v) above an IoU of 0.5, otherwise 0
/// eps is added to the heights in v as well. mmdet holds the metric in [-1, 1], which it never leaves. mmdet's value is
/// NaN for equal boxes whose U is the same with eps as without, in float from an area of 2 on; here it is 0.
template <class Boxes, class Format = corners_format>
auto mmdet_ciou_loss(Boxes boxes, mmdet_options options = {}, Format format = {}) {
  detail::require_box_targets<Boxes, Format>();
  const double eps = detail::epsilon_of("mmdet_ciou_loss", options.eps);
  return detail::box_loss(one_minus<epsilon_ciou_metric>{{.eps = eps, .of_height = eps, .above = 0.5}}, format, boxes);
}
/// siou_loss with neg_gamma=False. With neg_gamma=True it is hone::siou_loss but for eps. mmdet's value is NaN for two
/// boxes without width; here it is finite.
template <class Boxes, class Format = corners_format>
auto mmdet_siou_loss(Boxes boxes, mmdet_options options = {}, Format format = {}) {
  detail::require_box_targets<Boxes, Format>();
  const double eps = detail::epsilon_of("mmdet_siou_loss", options.eps);
  return detail::box_loss(mmdet_siou_formula{eps}, format, boxes);
}

static_assert(box_metric_formula<mmdet_iou_metric> && box_metric_formula<mmdet_giou_metric> &&
              box_formula<mmdet_siou_formula> && box_formula<minus_log<mmdet_iou_metric>>);

}  // namespace hone::parity
