// SPDX-License-Identifier: MIT
/// Intersection over union, and the losses that it is made into.
#pragma once

#include <hone/loss/box/box_pair.hpp>
#include <hone/loss/box/box_term.hpp>

namespace hone {

/// With I the area that both boxes cover, U the area that one or the other covers, A that of the predicted box:
///   I / U         derivative  ((1 + IoU) dI - IoU dA) / U,  for U = A + A* - I
/// 0 for boxes that do not overlap, with derivative 0, and for two boxes without area.
struct iou_metric {
  static constexpr bool uses_hull = false, uses_offset = false;

  template <operand V>
  HONE_HD box_metric<V> operator()(box_pair<V> const& b) const noexcept {
    const V inverse = V(1) / max(b.whole, V(detail::smallest_area)), iou = b.intersection * inverse;
    const V by_overlap = (V(1) + iou) * inverse, by_area = -iou * inverse;
    return {iou, {by_area * b.y.side, by_overlap * b.y.overlap}, {by_area * b.x.side, by_overlap * b.x.overlap}};
  }
};

/// UnitBox (Yu et al. 2016, arXiv 1608.01471), with IoU held at 1e-6, below which there is no gradient, as mmdet does:
///   value  -log max(metric, 1e-6)
template <box_metric_formula Metric>
struct minus_log {
  Metric metric;

  template <operand V>
  HONE_HD box_grad<V> operator()(box<V> const& predicted, box<V> const& target) const noexcept {
    const box_pair<V> b(predicted, target);
    const box_metric<V> m = metric(b);
    const V least = V(1e-6), held = max(m.value, least);
    return {-log(held),
            detail::times(select(m.value < least, V(0), V(1) / held), detail::fall_by_corners<Metric>(b, m))};
  }
};
using log_iou_formula = minus_log<iou_metric>;

/// PaddleDetection's form:
///   value  1 - metric²
template <box_metric_formula Metric>
struct one_minus_square {
  Metric metric;

  template <operand V>
  HONE_HD box_grad<V> operator()(box<V> const& predicted, box<V> const& target) const noexcept {
    const box_pair<V> b(predicted, target);
    const box_metric<V> m = metric(b);
    return {V(1) - m.value * m.value, detail::times(V(2) * m.value, detail::fall_by_corners<Metric>(b, m))};
  }
};
using squared_iou_formula = one_minus_square<iou_metric>;

/// 1 - IoU of each predicted box, n x 4, with the box in the same row of `boxes`.
template <class Boxes, class Format = corners_format>
auto iou_loss(Boxes boxes, Format format = {}) {
  detail::require_box_targets<Boxes, Format>();
  return detail::box_loss(one_minus<iou_metric>{}, format, boxes);
}
/// -log IoU.
template <class Boxes, class Format = corners_format>
auto log_iou_loss(Boxes boxes, Format format = {}) {
  detail::require_box_targets<Boxes, Format>();
  return detail::box_loss(log_iou_formula{}, format, boxes);
}
/// 1 - IoU².
template <class Boxes, class Format = corners_format>
auto squared_iou_loss(Boxes boxes, Format format = {}) {
  detail::require_box_targets<Boxes, Format>();
  return detail::box_loss(squared_iou_formula{}, format, boxes);
}

static_assert(box_metric_formula<iou_metric> && box_formula<one_minus<iou_metric>> && box_formula<log_iou_formula> &&
              box_formula<squared_iou_formula>);

}  // namespace hone
