// SPDX-License-Identifier: MIT
/// Generalised IoU (Rezatofighi et al. 2019, arXiv 1902.09630).
#pragma once

#include <hone/loss/box/iou.hpp>

#include <hone/core/macros_push.hpp>

namespace hone::inline HONE_ABI {

namespace detail {

/// Returns the area of the hull that neither box covers: (C - A) - (A* - I), both sums exactly 0 for equal boxes.
template <class Format, operand V>
HONE_HD HONE_INLINE V empty_area(box_pair<V, Format> const& b) noexcept {
  const V outside = b.x.hull * (b.y.hull - b.y.side) + (b.x.hull - b.x.side) * b.y.side;
  const V target = b.x.target * (b.y.target - b.y.overlap) + (b.x.target - b.x.overlap) * b.y.overlap;
  return max(outside - target, V(0));
}

/// Returns the derivative of -U / C, -dU / C + U dC / C², with inverse = 1 / C. by_hull is U / C, or 0 if C is clamped.
/// Terms that cancel for equal boxes cancel before the multiplication by 1 / C.
template <class Format, operand V>
HONE_HD HONE_INLINE pair_slope<V> empty_slope(box_pair<V, Format> const& b, V by_hull, V inverse) noexcept {
  const V x = exact(by_hull * b.y.hull),
          y = exact(by_hull * b.x.hull);  // an area changes by the length along the other axis
  const intersection_slope<V> slope(b);
  return {inverse * (x - b.y.side), inverse * (slope.x - x), inverse * (y - b.x.side), inverse * (slope.y - y)};
}
/// Returns GIoU with inverse = 1 / C.
template <class Format, operand V>
HONE_HD HONE_INLINE box_metric<V> giou_of(box_pair<V, Format> const& b, V inverse) noexcept {
  const fraction<V> filled(b.union_area, empty_area(b), inverse);
  return iou_part<V>(b).less(b, filled.missing, empty_slope(b, filled.part, inverse));
}

}  // namespace detail

/// With C the area of the smallest box that contains both:
///   IoU - (C - U) / C         derivative: that of IoU, + dU / C - U dC / C²
struct giou_metric {
  template <operand V, class Format>
  HONE_HD HONE_INLINE box_metric<V> operator()(box_pair<V, Format> const& b) const noexcept {
    return detail::giou_of(b, reciprocal(max(b.x.hull * b.y.hull, V(detail::smallest_area))));
  }
};

/// Loss 1 - GIoU of each predicted box (n x 4) with the box in the same row of `boxes`.
template <class Boxes, class Format = corners_format>
auto giou_loss(Boxes boxes, Format format = {}) {
  return detail::box_loss(one_minus<giou_metric>{}, format, boxes);
}

static_assert(box_metric_formula<giou_metric> && box_formula<one_minus<giou_metric>>);

}  // namespace hone::inline HONE_ABI

#include <hone/core/macros_pop.hpp>
