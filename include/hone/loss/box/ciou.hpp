// SPDX-License-Identifier: MIT
/// Complete IoU (Zheng et al. 2020, arXiv 1911.08287).
#pragma once

#include <hone/loss/box/diou.hpp>

namespace hone {

namespace detail {

/// How much two shapes differ: v = 4/π² (atan(w*/h*) - atan(w/h))². The difference of the two angles is one angle,
/// atan((w* h - h* w) / (h* h + w* w)), 0 where a box is a point.
template <class V>
struct unlike_shapes {
  V w, h, angle, v;

  HONE_HD unlike_shapes(V w_, V h_, V target_w, V target_h) noexcept
      : w(w_),
        h(h_),
        angle(atan((target_w * h - target_h * w) / max(target_h * h + target_w * w, V(smallest_area)))),
        v(V(0.40528473456935109) * angle * angle) {}

  /// v / rest, which is 0 where rest is.
  HONE_HD V over(V rest) const noexcept { return v / max(rest, V(smallest_area)); }

  /// Takes α v from a metric; α carries no gradient.
  HONE_HD void less(V alpha, box_metric<V>& m) const noexcept {
    const V by_angle = V(-0.81056946913870217) * alpha * angle / max(w * w + h * h, V(smallest_area));
    m.value = m.value - alpha * v;
    m.x.side = m.x.side - by_angle * h;  // the angle falls as w grows
    m.y.side = m.y.side + by_angle * w;
  }
};

}  // namespace detail

/// With v how much the shapes differ, and α how much that counts, which carries no gradient:
///   IoU - ρ²/c² - α v,   v = 4/π² (atan(w*/h*) - atan(w/h))²,   α = v / (1 - IoU + v)
struct ciou_metric {
  static constexpr bool uses_hull = true, uses_offset = true;

  template <operand V>
  HONE_HD box_metric<V> operator()(box_pair<V> const& b) const noexcept {
    box_metric<V> m = iou_metric{}(b);
    const V missed = V(1) - m.value;
    detail::less_distance(b, m);
    const detail::unlike_shapes<V> shapes(b.x.side, b.y.side, b.x.target, b.y.target);
    shapes.less(shapes.over(missed + shapes.v), m);
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
