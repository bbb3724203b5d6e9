// SPDX-License-Identifier: MIT
/// Distance IoU (Zheng et al. 2020, arXiv 1911.08287).
#pragma once

#include <hone/loss/box/iou.hpp>

#include <hone/core/macros_push.hpp>

namespace hone::inline HONE_ABI {

namespace detail {

template <class Format, operand V>
HONE_HD HONE_INLINE V squared_distance(box_pair<V, Format> const& b) noexcept {
  return b.x.offset * b.x.offset + b.y.offset * b.y.offset;
}
template <class Format, operand V>
HONE_HD HONE_INLINE V squared_diagonal(box_pair<V, Format> const& b) noexcept {
  return b.x.hull * b.x.hull + b.y.hull * b.y.hull;
}
/// ρ²/c², the squared distance of the centres over the squared diagonal of the hull, and its derivative by the lengths.
/// `inverse` is 1/c²; constants may have been added to ρ² and c².
template <class V>
struct relative_distance {
  V value;
  axis_slope<V> x, y;

  template <class Format>
  HONE_HD HONE_INLINE relative_distance(box_pair<V, Format> const& b, V distance, V inverse) noexcept
      : value(distance) {
    const V twice = inverse + inverse, by_hull = -(distance * twice);
    x.offset = twice * b.x.offset, y.offset = twice * b.y.offset;
    x.hull = by_hull * b.x.hull, y.hull = by_hull * b.y.hull;
  }
  template <class Format>
  HONE_HD HONE_INLINE relative_distance(box_pair<V, Format> const& b, V inverse) noexcept
      : relative_distance(b, exact(squared_distance(b) * inverse), inverse) {}
  template <class Format>
  HONE_HD HONE_INLINE explicit relative_distance(box_pair<V, Format> const& b) noexcept
      : relative_distance(b, reciprocal(max(squared_diagonal(b), V(smallest_area)))) {}
};

}  // namespace detail

/// IoU - ρ²/c²
struct diou_metric {
  template <operand V, class Format>
  HONE_HD HONE_INLINE box_metric<V> operator()(box_pair<V, Format> const& b) const noexcept {
    const detail::relative_distance<V> distance(b);
    return detail::iou_part<V>(b).less(b, distance.value, distance.x, distance.y);
  }
};

/// Loss 1 - DIoU of each predicted box (n x 4) with the box in the same row of `boxes`.
template <class Boxes, class Format = corners_format>
auto diou_loss(Boxes boxes, Format format = {}) {
  return detail::box_loss(one_minus<diou_metric>{}, format, boxes);
}

static_assert(box_metric_formula<diou_metric> && box_formula<one_minus<diou_metric>>);

}  // namespace hone::inline HONE_ABI

#include <hone/core/macros_pop.hpp>
