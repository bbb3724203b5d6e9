// SPDX-License-Identifier: MIT
/// Complete IoU (Zheng et al. 2020, arXiv 1911.08287).
#pragma once

#include <hone/loss/box/diou.hpp>

namespace hone {

/// With v how much the shapes differ, and α how much that counts, which carries no gradient:
///   IoU - ρ²/c² - α v,   v = 4/π² (atan(w*/h*) - atan(w/h))²,   α = v / (1 - IoU + v)
/// The difference of the two angles is one angle, atan((w* h - h* w) / (h* h + w* w)), 0 where a box is a point.
struct ciou_metric {
  static constexpr bool uses_hull = true, uses_offset = true;

  template <operand V>
  HONE_HD box_metric<V> operator()(box_pair<V> const& b) const noexcept {
    box_metric<V> m = iou_metric{}(b);
    const V missed = V(1) - m.value, smallest(detail::smallest_area), w = b.x.side, h = b.y.side;
    detail::less_distance(b, m);
    const V angle = atan((b.x.target * h - b.y.target * w) / max(b.y.target * h + b.x.target * w, smallest));
    const V v = V(0.40528473456935109) * angle * angle;
    const V alpha = v / max(missed + v, smallest);
    const V by_angle = V(-0.81056946913870217) * alpha * angle / max(w * w + h * h, smallest);
    m.value = m.value - alpha * v;
    m.x.side = m.x.side - by_angle * h;  // the angle falls as w grows
    m.y.side = m.y.side + by_angle * w;
    return m;
  }
};

/// 1 - CIoU of each predicted box, n x 4, with the box in the same row of `boxes`.
template <class Boxes, class Format = corners_format>
auto ciou_loss(Boxes boxes, Format format = {}) {
  detail::require_box_targets<Boxes, Format>();
  return detail::box_loss(one_minus<ciou_metric>{}, format, boxes);
}

static_assert(box_metric_formula<ciou_metric> && box_formula<one_minus<ciou_metric>>);

}  // namespace hone
