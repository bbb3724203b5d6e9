// SPDX-License-Identifier: MIT
/// α-IoU (He et al. 2021, arXiv 2110.13675). Experimental: public copies disagree about the default of α.
#pragma once

#include <hone/loss/box/diou.hpp>

namespace hone {

namespace detail {

/// x^α for x in [0, 1], α >= 1, and its derivative.
template <operand V>
HONE_HD value_grad<V> unit_power(V x, double alpha) noexcept {
  const V tiny = V(1e-30), below = exp_of_nonpositive(V(alpha - 1) * log(min(max(x, tiny), V(1))));  // x^(α-1)
  const V power = alpha == 1 ? V(1) : select(x < tiny, V(0), below);
  return {power * x, V(alpha) * power};
}

}  // namespace detail

namespace experimental {

///   value  1 - IoU^α
struct alpha_iou_formula {
  double alpha;

  template <operand V>
  HONE_HD box_grad<V> operator()(box<V> const& predicted, box<V> const& target) const noexcept {
    const box_pair<V> b(predicted, target);
    const box_metric<V> m = iou_metric{}(b);
    const value_grad<V> power = detail::unit_power(m.value, alpha);
    return {V(1) - power.value, detail::times(power.grad, detail::fall_by_corners<iou_metric>(b, m))};
  }
};

///   value  1 - IoU^α + (ρ²/c²)^α
struct alpha_diou_metric {
  static constexpr bool uses_hull = true, uses_offset = true;

  double alpha;

  template <operand V>
  HONE_HD box_metric<V> operator()(box_pair<V> const& b) const noexcept {
    const V none = V(0);
    const box_metric<V> m = iou_metric{}(b);
    box_metric<V> away{none, {none, none}, {none, none}};
    detail::less_distance(b, away);
    const value_grad<V> overlap = detail::unit_power(m.value, alpha), distance = detail::unit_power(-away.value, alpha);
    const auto along = [&](axis_slope<V> const& iou, axis_slope<V> const& a) {
      return axis_slope<V>{overlap.grad * iou.side, overlap.grad * iou.overlap, distance.grad * a.hull,
                           distance.grad * a.offset};
    };
    return {overlap.value - distance.value, along(m.x, away.x), along(m.y, away.y)};
  }
};

struct alpha_iou_options {
  real alpha = 3;  ///< finite, >= 1
};

/// 1 - IoU^α of each predicted box, n x 4, with the box in the same row of `boxes`.
template <class Boxes, class Format = corners_format>
auto alpha_iou_loss(Boxes boxes, alpha_iou_options options = {}, Format format = {}) {
  detail::require_box_targets<Boxes, Format>();
  const double alpha = options.alpha;
  detail::require(alpha >= 1 && detail::finite(alpha), "alpha_iou_loss", "alpha", alpha, "finite and at least 1");
  return detail::box_loss(alpha_iou_formula{alpha}, format, boxes);
}
/// 1 - IoU^α + (ρ²/c²)^α.
template <class Boxes, class Format = corners_format>
auto alpha_diou_loss(Boxes boxes, alpha_iou_options options = {}, Format format = {}) {
  detail::require_box_targets<Boxes, Format>();
  const double alpha = options.alpha;
  detail::require(alpha >= 1 && detail::finite(alpha), "alpha_diou_loss", "alpha", alpha, "finite and at least 1");
  return detail::box_loss(one_minus<alpha_diou_metric>{{alpha}}, format, boxes);
}

static_assert(box_formula<alpha_iou_formula> && box_metric_formula<alpha_diou_metric>);

}  // namespace experimental
}  // namespace hone
