// SPDX-License-Identifier: MIT
/// Complete IoU (Zheng et al. 2020, arXiv 1911.08287).
#pragma once

#include <hone/loss/box/diou.hpp>

#include <hone/core/macros_push.hpp>

namespace hone::inline HONE_ABI {

namespace detail {

/// The difference of two shapes: v = 4/π² (atan(w*/h*) - atan(w/h))². The difference of the two angles is computed as
/// one angle, atan((w* h - h* w) / (h* h + w* w)), which is 0 if a box is a point.
template <class V>
struct aspect_penalty {
  V w, h, angle, v;

  HONE_HD HONE_INLINE aspect_penalty(V w_, V h_, V target_w, V target_h) noexcept
      : w(w_),
        h(h_),
        angle(angle_of(target_w * h - target_h * w, max(target_h * h + target_w * w, V(smallest_area)))),
        v(V(0.40528473456935109) * angle * angle) {}

  /// Returns α = v / (missing + v + more), with missing = 1 - IoU. It is 0 for equal boxes, because fused operations
  /// may leave a rounding error of w* h - h* w in their v.
  HONE_HD HONE_INLINE V over(V missing) const noexcept { return over_sum(missing, missing + v); }
  HONE_HD HONE_INLINE V over(V missing, V more) const noexcept { return over_sum(missing, missing + more + v); }
  /// Returns α v and stores its derivative by the sides; α carries no gradient.
  HONE_HD HONE_INLINE V weighted(V alpha, axis_slope<V>& x, axis_slope<V>& y) const noexcept {
    const V by_angle = quotient(V(-0.81056946913870217) * alpha * angle, max(w * w + h * h, V(smallest_area)));
    x.side = by_angle * h;  // the angle decreases as w grows
    y.side = -by_angle * w;
    return alpha * v;
  }

 private:
  HONE_HD HONE_INLINE V over_sum(V missing, V sum) const noexcept {
    const V alpha = exact(quotient(v, max(sum, V(smallest_area))));
    return select(V(0) < missing, alpha, missing);  // NaN stays
  }
};

}  // namespace detail

/// With v the difference of the shapes and α its weight, which carries no gradient:
///   IoU - ρ²/c² - α v,   v = 4/π² (atan(w*/h*) - atan(w/h))²,   α = v / (1 - IoU + v)
struct ciou_metric {
  template <operand V, class Format>
  HONE_HD HONE_INLINE box_metric<V> operator()(box_pair<V, Format> const& b) const noexcept {
    const detail::aspect_penalty<V> shapes(b.x.side, b.y.side, b.x.target, b.y.target);
    detail::relative_distance<V> distance(b);  // first: fewer registers are live in CUDA's divisions of double
    const detail::iou_part<V> m(b);  // after CUDA's atan: its branch keeps products from being fused into sums
    const V alpha = shapes.over(m.iou.missing);
    const V more = shapes.weighted(alpha, distance.x, distance.y);
    return m.less(b, distance.value + more, distance.x, distance.y);
  }
};

/// Loss 1 - CIoU of each predicted box (n x 4) with the box in the same row of `boxes`.
template <class Boxes, class Format = corners_format>
auto ciou_loss(Boxes boxes, Format format = {}) {
  return detail::box_loss(one_minus<ciou_metric>{}, format, boxes);
}

static_assert(box_metric_formula<ciou_metric> && box_formula<one_minus<ciou_metric>>);

}  // namespace hone::inline HONE_ABI

#include <hone/core/macros_pop.hpp>
