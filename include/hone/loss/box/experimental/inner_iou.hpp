// SPDX-License-Identifier: MIT
/// Inner-IoU (Zhang et al. 2023, arXiv 2311.02877). Experimental: known from copies that disagree about the ratio.
#pragma once

#include <hone/loss/box/iou.hpp>

namespace hone::experimental {

/// The IoU of both boxes with their sides times `ratio`, about their centres. 1 - IoU_inner; the paper's form for
/// another loss L is L + IoU - IoU_inner, so the sum L + inner_iou_loss + -1 * iou_loss.
struct inner_iou_metric {
  static constexpr bool uses_hull = false, uses_offset = true;

  double ratio;

  template <operand V>
  HONE_HD box_metric<V> operator()(box_pair<V> const& b) const noexcept {
    const V scale = V(ratio);
    const inner<V> x(b.x, scale), y(b.y, scale);
    const V overlap = x.overlap * y.overlap, area = x.side * y.side;
    const V inverse = V(1) / max(area + (x.target * y.target - overlap), V(detail::smallest_area));
    const V iou = overlap * inverse, by_overlap = (V(1) + iou) * inverse, by_area = -iou * inverse;
    return {iou, x.slope(by_area * y.side, by_overlap * y.overlap, scale),
            y.slope(by_area * x.side, by_overlap * x.overlap, scale)};
  }

 private:
  template <operand V>
  struct inner {
    V side, target, overlap, starts, ends;

    HONE_HD inner(box_axis<V> const& a, V scale) noexcept : side(scale * a.side), target(scale * a.target) {
      const V half = V(0.5) * side, wanted = V(0.5) * target;
      const V low = a.offset - half, high = a.offset + half;  // the target's centre is 0
      overlap = max(min(high, wanted) - max(low, -wanted), V(0));
      starts = select(-wanted < low, V(1), select(low < -wanted, V(0), V(0.5)));
      ends = select(high < wanted, V(1), select(wanted < high, V(0), V(0.5)));
    }
    HONE_HD axis_slope<V> slope(V by_side, V by_overlap, V scale) const noexcept {
      const V met = select(V(0) < overlap, by_overlap, V(0));
      return {scale * (by_side + V(0.5) * (starts + ends) * met), V(0), V(0), (ends - starts) * met};
    }
  };
};

struct inner_iou_options {
  real ratio = 0.7;  ///< finite, above 0; below 1 for boxes that overlap much already
};

/// 1 - IoU_inner of each predicted box, n x 4, with the box in the same row of `boxes`.
template <class Boxes, class Format = corners_format>
auto inner_iou_loss(Boxes boxes, inner_iou_options options = {}, Format format = {}) {
  detail::require_box_targets<Boxes, Format>();
  const double ratio = options.ratio;
  detail::require(ratio > 0 && ratio <= 100, "inner_iou_loss", "ratio", ratio, "in (0, 100]");
  return detail::box_loss(one_minus<inner_iou_metric>{{ratio}}, format, boxes);
}

static_assert(box_metric_formula<inner_iou_metric>);

}  // namespace hone::experimental
