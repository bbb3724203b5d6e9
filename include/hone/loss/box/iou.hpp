// SPDX-License-Identifier: MIT
/// Intersection over union, and the losses made of it.
#pragma once

#include <hone/loss/box/box_pair.hpp>
#include <hone/loss/box/term.hpp>

#include <hone/core/macros_push.hpp>

namespace hone::inline HONE_ABI {

namespace detail {

/// The derivatives of I by the overlaps along x and y. An overlap of 0 gets derivative 0.
template <class V>
struct intersection_slope {
  V x, y;

  template <class Format>
  HONE_HD HONE_INLINE explicit intersection_slope(box_pair<V, Format> const& b) noexcept
      : x(select(V(0) < b.x.overlap, b.y.overlap, V(0))), y(select(V(0) < b.y.overlap, b.x.overlap, V(0))) {}
};

/// Returns the derivative by the lengths from those by A and by -I.
template <class Format, operand V>
HONE_HD HONE_INLINE pair_slope<V> slope_by_areas(box_pair<V, Format> const& b, V by_area, V by_lost) noexcept {
  const intersection_slope<V> slope(b);
  return {by_area * b.y.side, -(by_lost * slope.x), by_area * b.x.side, -(by_lost * slope.y)};
}

/// IoU and 1 - IoU, with what their derivatives are made of. For equal boxes IoU is exactly 1.
template <class V>
struct iou_part {
  V inverse;  ///< 1 / U
  fraction<V> iou;

  template <class Format>
  HONE_HD HONE_INLINE explicit iou_part(box_pair<V, Format> const& b) noexcept
      : inverse(reciprocal(b.union_area)), iou(b.intersection, b.missed, inverse) {}

  /// Returns the derivative of 1 - IoU. It multiplies by 1 / U last, so that terms that cancel for equal boxes cancel
  /// exactly, even if the compiler fuses operations.
  template <class Format>
  HONE_HD HONE_INLINE box<V> gradient(box_pair<V, Format> const& b) const noexcept {
    return times(inverse, by_lengths(b, slope_by_areas(b, iou.part, V(1) + iou.part)));
  }

  /// Returns IoU - amount; `by`, or x and y, is the derivative of the amount. Terms that cancel for
  /// equal boxes are rounded by the sums with it, which are then sums with 0.
  template <class Format>
  HONE_HD HONE_INLINE box_metric<V> less(box_pair<V, Format> const& b, V amount,
                                         pair_slope<V> const& by) const noexcept {
    return {iou.part - amount, iou.missing + amount, by_lengths(b, slope(b) + by)};
  }
  template <class Format>
  HONE_HD HONE_INLINE box_metric<V> less(box_pair<V, Format> const& b, V amount, axis_slope<V> const& x,
                                         axis_slope<V> const& y) const noexcept {
    const pair_slope<V> by{x.side + x.hull, -x.hull, y.side + y.hull, -y.hull};
    const box<V> grad = by_lengths(b, slope(b) + by);
    return {iou.part - amount, iou.missing + amount, by_offsets<Format>(grad, x, y)};
  }

 private:
  template <class Format>
  HONE_HD HONE_INLINE pair_slope<V> slope(box_pair<V, Format> const& b) const noexcept {
    const V by_area = exact(iou.part * inverse);
    return slope_by_areas(b, by_area, inverse + by_area);
  }
};

}  // namespace detail

/// With I the area of the intersection, U that of the union, A that of the predicted box, A* that of its target:
///   I / U         derivative  ((1 + IoU) dI - IoU dA) / U,  because U = A + A* - I
/// At most 1, and 1 for equal boxes; 0 with derivative 0 for boxes that do not overlap; 0 for two boxes without area.
struct iou_metric {
  template <operand V, class Format>
  HONE_HD HONE_INLINE box_metric<V> operator()(box_pair<V, Format> const& b) const noexcept {
    const detail::iou_part<V> m(b);
    return {m.iou.part, m.iou.missing, m.gradient(b)};
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
    const V minimum = V(1e-6), held = max(m.value, minimum);
    return {-log(held), detail::times(select(m.value < minimum, V(0), V(1) / held), m.grad)};
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
