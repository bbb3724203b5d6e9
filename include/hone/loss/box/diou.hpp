// SPDX-License-Identifier: MIT
/// Distance IoU (Zheng et al. 2020, arXiv 1911.08287).
#pragma once

#include <hone/loss/box/iou.hpp>

namespace hone {

namespace detail {

template <operand V>
HONE_HD V squared_distance(box_pair<V> const& b) noexcept {
  return b.x.offset * b.x.offset + b.y.offset * b.y.offset;
}
template <operand V>
HONE_HD V squared_diagonal(box_pair<V> const& b) noexcept {
  return b.x.hull * b.x.hull + b.y.hull * b.y.hull;
}
/// Takes ρ²/c² from a metric: the squared distance of the centres over the squared diagonal of the hull. inverse is
/// 1/c²; ρ² and c² may have constants in them.
template <operand V>
HONE_HD void less_distance(box_pair<V> const& b, V distance, V inverse, box_metric<V>& m) noexcept {
  const V twice = inverse + inverse;
  m.value = m.value - distance;
  m.x.offset = -twice * b.x.offset, m.y.offset = -twice * b.y.offset;
  m.x.hull = (distance * twice) * b.x.hull, m.y.hull = (distance * twice) * b.y.hull;
}
template <operand V>
HONE_HD void less_distance(box_pair<V> const& b, box_metric<V>& m) noexcept {
  const V inverse = V(1) / max(squared_diagonal(b), V(smallest_area)), distance = squared_distance(b) * inverse;
  less_distance(b, distance, inverse, m);
}

}  // namespace detail

/// IoU - ρ²/c²
struct diou_metric {
  static constexpr bool uses_hull = true, uses_offset = true;

  template <operand V>
  HONE_HD box_metric<V> operator()(box_pair<V> const& b) const noexcept {
    box_metric<V> m = iou_metric{}(b);
    detail::less_distance(b, m);
    return m;
  }
};

/// 1 - DIoU of each predicted box, n x 4, with the box in the same row of `boxes`.
template <class Boxes, class Format = corners_format>
auto diou_loss(Boxes boxes, Format format = {}) {
  detail::require_box_targets<Boxes, Format>();
  return detail::box_loss(one_minus<diou_metric>{}, format, boxes);
}

static_assert(box_metric_formula<diou_metric> && box_formula<one_minus<diou_metric>>);

}  // namespace hone
