// SPDX-License-Identifier: MIT
/// Intersection over union, and the losses made of it.
#pragma once

#include <hone/loss/box/box_pair.hpp>
#include <hone/loss/box/term.hpp>

#include <hone/core/macros_push.hpp>

namespace hone::inline HONE_ABI {

namespace detail {

/// Returns the derivative of 1 - I / U from by_area and by_overlap, U times its derivatives by A and I. It multiplies
/// by 1 / U last, so that terms that cancel for equal boxes cancel exactly. An overlap of 0 gets derivative 0.
template <class Format, operand V>
HONE_HD HONE_INLINE box<V> iou_gradient_part(box_pair<V, Format> const& b, V by_area, V by_overlap,
                                             V inverse) noexcept {
  const V x = select(V(0) < b.x.overlap, by_overlap * b.y.overlap, V(0));
  const V y = select(V(0) < b.y.overlap, by_overlap * b.x.overlap, V(0));
  return times(inverse, by_lengths(b, by_area * b.y.side, x, by_area * b.x.side, y));
}

}  // namespace detail

/// With I the area of the intersection, U that of the union, A that of the predicted box, A* that of its target:
///   I / U         derivative  ((1 + IoU) dI - IoU dA) / U,  because U = A + A* - I
/// At most 1, and 1 for equal boxes; 0 with derivative 0 for boxes that do not overlap; 0 for two boxes without area.
struct iou_metric {
  template <operand V, class Format>
  HONE_HD HONE_INLINE box_metric<V> operator()(box_pair<V, Format> const& b) const noexcept {
    const V inverse = V(1) / b.union_area;
    const detail::fraction<V> iou(b.intersection, b.missed, inverse);
    return {iou.part, iou.missing, detail::iou_gradient_part(b, iou.part, -(V(1) + iou.part), inverse)};
  }
};

/// UnitBox (Yu et al. 2016, arXiv 1608.01471), with the metric clamped at 1e-6 and no gradient below, as in mmdet:
///   value  -log max(metric, 1e-6)
template <box_metric_formula Metric>
struct minus_log {
  Metric metric;

  template <operand V, class Format>
  HONE_HD HONE_INLINE box_grad<V> operator()(box_pair<V, Format> const& b) const noexcept {
    const box_metric<V> m = metric(b);
    const V least = V(1e-6), held = max(m.value, least);
    return {-log(held), detail::times(select(m.value < least, V(0), V(1) / held), m.grad)};
  }
};
using log_iou_formula = minus_log<iou_metric>;

/// The form of PaddleDetection:
///   value  1 - metric²
template <box_metric_formula Metric>
struct one_minus_square {
  Metric metric;

  template <operand V, class Format>
  HONE_HD HONE_INLINE box_grad<V> operator()(box_pair<V, Format> const& b) const noexcept {
    const box_metric<V> m = metric(b);
    return {m.lost * (V(1) + m.value), detail::times(V(2) * m.value, m.grad)};
  }
};
using squared_iou_formula = one_minus_square<iou_metric>;

/// Loss 1 - IoU of each predicted box (n x 4) with the box in the same row of `boxes`.
template <class Boxes, class Format = corners_format>
auto iou_loss(Boxes boxes, Format format = {}) {
  return detail::box_loss(one_minus<iou_metric>{}, format, boxes);
}
/// Loss -log IoU of each predicted box (n x 4) with the box in the same row of `boxes`; IoU is clamped at 1e-6.
template <class Boxes, class Format = corners_format>
auto log_iou_loss(Boxes boxes, Format format = {}) {
  return detail::box_loss(log_iou_formula{}, format, boxes);
}
/// Loss 1 - IoU² of each predicted box (n x 4) with the box in the same row of `boxes`.
template <class Boxes, class Format = corners_format>
auto squared_iou_loss(Boxes boxes, Format format = {}) {
  return detail::box_loss(squared_iou_formula{}, format, boxes);
}

static_assert(box_metric_formula<iou_metric> && box_formula<one_minus<iou_metric>> && box_formula<log_iou_formula> &&
              box_formula<squared_iou_formula>);

}  // namespace hone::inline HONE_ABI

#include <hone/core/macros_pop.hpp>
