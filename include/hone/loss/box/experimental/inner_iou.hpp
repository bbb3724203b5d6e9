// SPDX-License-Identifier: MIT
/// Inner-IoU (Zhang et al. 2023, arXiv 2311.02877). Experimental: public implementations disagree about the ratio.
#pragma once

#include <hone/loss/box/iou.hpp>

#include <hone/core/macros_push.hpp>

namespace hone::inline HONE_ABI::experimental {

/// The IoU of both boxes after their sides are multiplied by `ratio`, with the centres fixed; as a loss: 1 - IoU_inner.
/// The paper's form for another loss L is L + IoU - IoU_inner, which is the sum L + inner_iou_loss + -1 * iou_loss.
struct inner_iou_metric {
  double ratio;

  template <operand V, class Format>
  HONE_HD HONE_INLINE box_metric<V> operator()(box_pair<V, Format> const& b) const noexcept {
    const V scale = V(ratio);
    const box_pair<V, centers_format> inner(scaled(b.x, scale), scaled(b.y, scale));
    const box_metric<V> m = iou_metric{}(inner);  // by the offsets of the centres and the scaled sides
    return {m.value, m.lost,
            detail::by_slopes(b, {scale * m.grad.x2, V(0), m.grad.x1}, {scale * m.grad.y2, V(0), m.grad.y1})};
  }

 private:
  template <operand V>
  HONE_HD HONE_INLINE static box_axis<V> scaled(box_axis<V> const& a, V scale) noexcept {
    return centers_format::axis_of(a.offset, scale * a.side, V(0), scale * a.target);
  }
};

struct inner_iou_options {
  real ratio = 0.7;  ///< in (0, 100]; below 1 for boxes that overlap much already
};

/// Loss 1 - IoU_inner of each predicted box (n x 4) with the box in the same row of `boxes`.
template <class Boxes, class Format = corners_format>
auto inner_iou_loss(Boxes boxes, inner_iou_options options = {}, Format format = {}) {
  const double ratio = options.ratio;
  detail::require(ratio > 0 && ratio <= 100, "inner_iou_loss", "ratio", ratio, "in (0, 100]");
  return detail::box_loss(one_minus<inner_iou_metric>{{ratio}}, format, boxes);
}
template <class Boxes, class Format>
auto inner_iou_loss(Boxes boxes, Format format) {
  return experimental::inner_iou_loss(boxes, inner_iou_options(), format);
}

static_assert(box_metric_formula<inner_iou_metric>);

}  // namespace hone::inline HONE_ABI::experimental

#include <hone/core/macros_pop.hpp>
