// SPDX-License-Identifier: MIT
/// Efficient IoU (Zhang et al. 2022, arXiv 2101.08158).
#pragma once

#include <hone/loss/box/diou.hpp>

#include <hone/core/macros_push.hpp>

namespace hone::inline HONE_ABI {

/// With Cw, Ch the sides of the smallest box that contains both:
///   IoU - ρ²/c² - (w - w*)²/Cw² - (h - h*)²/Ch²
struct eiou_metric {
  template <operand V, class Format>
  HONE_HD HONE_INLINE box_metric<V> operator()(box_pair<V, Format> const& b) const noexcept {
    detail::relative_distance<V> d(b);
    const V more = difference(b.x, d.x) + difference(b.y, d.y);
    return detail::iou_part<V>(b).less(b, d.value + more, d.x, d.y);
  }

 private:
  /// Returns the squared difference along one axis over the squared hull; adds its derivative to the slope.
  template <operand V>
  HONE_HD HONE_INLINE static V difference(box_axis<V> const& a, axis_slope<V>& slope) noexcept {
    const V inverse = reciprocal(max(a.hull, V(detail::smallest_length))), r = exact((a.side - a.target) * inverse);
    const V by_side = (r + r) * inverse;
    slope.side = slope.side + by_side;
    slope.hull = slope.hull - by_side * r;
    return r * r;
  }
};

/// Focal-EIoU, from the same source: EIoU's loss times IoU^γ, which carries no gradient, as in public training code,
/// because the derivative of IoU^γ is unbounded near IoU = 0 for γ < 1.
struct focal_eiou_formula {
  double gamma;

  template <operand V, class Format>
  HONE_HD HONE_INLINE box_grad<V> operator()(box_pair<V, Format> const& b) const noexcept {
    const box_metric<V> m = eiou_metric{}(b);
    const V iou = iou_metric{}(b).value, tiny(1e-30);
    const V power = exp(V(gamma) * log(max(iou, tiny)));
    const V weight = gamma == 0 ? V(1) : select(iou < tiny, V(0), power);
    return {weight * m.lost, detail::times(weight, m.grad)};
  }
};

struct focal_eiou_options {
  real gamma = 0.5;  ///< finite, >= 0
};

/// Loss 1 - EIoU of each predicted box (n x 4) with the box in the same row of `boxes`, without a focal weight.
template <class Boxes, class Format = corners_format>
auto eiou_loss(Boxes boxes, Format format = {}) {
  return detail::box_loss(one_minus<eiou_metric>{}, format, boxes);
}
/// Loss IoU^γ (1 - EIoU) of each predicted box (n x 4). Throws hone::invalid_argument if γ is negative or not finite.
template <class Boxes, class Format = corners_format>
auto focal_eiou_loss(Boxes boxes, focal_eiou_options options = {}, Format format = {}) {
  const double gamma = options.gamma;
  detail::require(gamma >= 0 && detail::finite(gamma), "focal_eiou_loss", "gamma", gamma, "finite and not negative");
  return detail::box_loss(focal_eiou_formula{gamma < 1e30 ? gamma : 1e30}, format, boxes);  // stays finite as a float
}
template <class Boxes, class Format>
auto focal_eiou_loss(Boxes boxes, Format format) {
  return focal_eiou_loss(boxes, focal_eiou_options(), format);
}

static_assert(box_metric_formula<eiou_metric> && box_formula<one_minus<eiou_metric>> &&
              box_formula<focal_eiou_formula>);

}  // namespace hone::inline HONE_ABI

#include <hone/core/macros_pop.hpp>
