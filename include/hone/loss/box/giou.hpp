// SPDX-License-Identifier: MIT
/// Generalised IoU (Rezatofighi et al. 2019, arXiv 1902.09630).
#pragma once

#include <hone/loss/box/iou.hpp>

namespace hone {

namespace detail {

/// Takes the empty part of the hull, (C - U) / C, from a metric, C being what it is called with.
template <operand V>
HONE_HD void less_empty_along(box_axis<V> const& across, V inverse, V filled, axis_slope<V>& slope) noexcept {
  slope.side = slope.side + inverse * across.side;
  slope.overlap = slope.overlap - inverse * across.overlap;
  slope.hull = -(filled * inverse) * across.hull;
}
template <operand V>
HONE_HD void less_empty(box_pair<V> const& b, V hull, box_metric<V>& m) noexcept {
  const V inverse = V(1) / max(hull, V(smallest_area)), filled = b.whole * inverse;
  m.value = m.value - (V(1) - filled);
  less_empty_along(b.y, inverse, filled, m.x);  // areas change by the lengths along the other axis
  less_empty_along(b.x, inverse, filled, m.y);
}

}  // namespace detail

/// With C the area of the smallest box that holds both:
///   IoU - (C - U) / C         derivative  that of IoU, + dU / C - U dC / C²
struct giou_metric {
  static constexpr bool uses_hull = true, uses_offset = false;

  template <operand V>
  HONE_HD box_metric<V> operator()(box_pair<V> const& b) const noexcept {
    box_metric<V> m = iou_metric{}(b);
    detail::less_empty(b, b.x.hull * b.y.hull, m);
    return m;
  }
};

/// 1 - GIoU of each predicted box, n x 4, with the box in the same row of `boxes`.
template <class Boxes, class Format = corners_format>
auto giou_loss(Boxes boxes, Format format = {}) {
  detail::require_box_targets<Boxes, Format>();
  return detail::box_loss(one_minus<giou_metric>{}, format, boxes);
}

static_assert(box_metric_formula<giou_metric> && box_formula<one_minus<giou_metric>>);

}  // namespace hone
