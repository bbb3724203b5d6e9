// SPDX-License-Identifier: MIT
/// MPDIoU (Ma & Xu 2023, arXiv 2307.07662). Experimental: the formula is taken from public implementations.
#pragma once

#include <hone/loss/box/iou.hpp>

#include <hone/core/macros_push.hpp>

namespace hone::inline HONE_ABI::experimental {

/// With d1, d2 the distances of the upper left and of the lower right corners, and an image of W x H:
///   IoU - (d1² + d2²) / (W² + H²)
struct mpdiou_metric {
  double inverse;  ///< 1 / (W² + H²)

  template <operand V, class Format>
  HONE_HD HONE_INLINE box_metric<V> operator()(box_pair<V, Format> const& b) const noexcept {
    box_metric<V> m = iou_metric{}(b);
    axis_slope<V> x, y;
    m.less(V(inverse) * (distances(b.x, x) + distances(b.y, y)));
    detail::add_slopes(b, x, y, m);
    return m;
  }

 private:
  /// Returns the sum of the squared distances of both ends along one axis, computed from the centres and the sides.
  template <operand V>
  HONE_HD HONE_INLINE V distances(box_axis<V> const& a, axis_slope<V>& slope) const noexcept {
    const V k = V(inverse), difference = a.side - a.target;
    slope.side = k * difference;
    slope.offset = V(4) * k * a.offset;
    return V(2) * a.offset * a.offset + V(0.5) * difference * difference;
  }
};

/// Loss 1 - MPDIoU of each predicted box (n x 4) with the box in the same row of `boxes`. width and height are those of
/// the image, in the unit of the boxes. Throws hone::invalid_argument if either is not finite or not above 1e-6.
template <class Boxes, class Format = corners_format>
auto mpdiou_loss(Boxes boxes, real width, real height, Format format = {}) {
  for (const double side : {width.value, height.value})
    detail::require(side > 1e-6 && detail::finite(side), "mpdiou_loss", side == width.value ? "width" : "height", side,
                    "finite and above 1e-6");
  return detail::box_loss(one_minus<mpdiou_metric>{{1 / (width * width + height * height)}}, format, boxes);
}

static_assert(box_metric_formula<mpdiou_metric>);

}  // namespace hone::inline HONE_ABI::experimental

#include <hone/core/macros_pop.hpp>
