// SPDX-License-Identifier: MIT
/// α-IoU (He et al. 2021, arXiv 2110.13675). Experimental: public implementations disagree about the default of α.
#pragma once

#include <hone/loss/box/diou.hpp>

#include <hone/core/macros_push.hpp>

namespace hone::inline HONE_ABI {

namespace detail {

/// Returns x^α for x in [0, 1] and α >= 1, and its derivative.
template <operand V>
HONE_HD HONE_INLINE value_grad<V> unit_power(V x, double alpha) noexcept {
  const V tiny = V(1e-30), exponent = V(alpha - 1) * log(min(max(x, tiny), V(1)));
  const V below = exp_of_nonpositive(max(exponent, V(-1000)));  // x^(α-1)
  const V power = alpha == 1 ? V(1) : select(x < tiny, V(0), below);
  return {power * x, V(alpha) * power};
}

}  // namespace detail

namespace experimental {

///   value  1 - IoU^α
struct alpha_iou_formula {
  double alpha;

  template <operand V, class Format>
  HONE_HD HONE_INLINE box_grad<V> operator()(box_pair<V, Format> const& b) const noexcept {
    const box_metric<V> m = iou_metric{}(b);
    const value_grad<V> power = detail::unit_power(m.value, alpha);
    return {V(1) - power.value, detail::times(power.grad, m.grad)};
  }
};

///   value  1 - IoU^α + (ρ²/c²)^α
struct alpha_diou_metric {
  double alpha;

  template <operand V, class Format>
  HONE_HD HONE_INLINE box_metric<V> operator()(box_pair<V, Format> const& b) const noexcept {
    const box_metric<V> m = iou_metric{}(b);
    const detail::relative_distance<V> away(b);
    const value_grad<V> overlap = detail::unit_power(m.value, alpha), distance = detail::unit_power(away.value, alpha);
    return {overlap.value - distance.value, (V(1) - overlap.value) + distance.value,
            detail::plus(detail::times(overlap.grad, m.grad),
                         detail::times(distance.grad, detail::by_slopes(b, away.x, away.y)))};
  }
};

struct alpha_iou_options {
  real alpha = 3;  ///< finite, >= 1
};

/// Loss 1 - IoU^α of each predicted box (n x 4) with the box in the same row of `boxes`. Throws if α < 1 or not finite.
template <class Boxes, class Format = corners_format>
auto alpha_iou_loss(Boxes boxes, alpha_iou_options options = {}, Format format = {}) {
  const double alpha = options.alpha;
  detail::require(alpha >= 1 && detail::finite(alpha), "alpha_iou_loss", "alpha", alpha, "finite and at least 1");
  return detail::box_loss(alpha_iou_formula{alpha < 1e30 ? alpha : 1e30}, format, boxes);
}
template <class Boxes, class Format>
auto alpha_iou_loss(Boxes boxes, Format format) {
  return experimental::alpha_iou_loss(boxes, alpha_iou_options(), format);
}
/// Loss 1 - IoU^α + (ρ²/c²)^α of each predicted box (n x 4). Throws if α < 1 or not finite.
template <class Boxes, class Format = corners_format>
auto alpha_diou_loss(Boxes boxes, alpha_iou_options options = {}, Format format = {}) {
  const double alpha = options.alpha;
  detail::require(alpha >= 1 && detail::finite(alpha), "alpha_diou_loss", "alpha", alpha, "finite and at least 1");
  return detail::box_loss(one_minus<alpha_diou_metric>{{alpha < 1e30 ? alpha : 1e30}}, format, boxes);
}
template <class Boxes, class Format>
auto alpha_diou_loss(Boxes boxes, Format format) {
  return experimental::alpha_diou_loss(boxes, alpha_iou_options(), format);
}

static_assert(box_formula<alpha_iou_formula> && box_metric_formula<alpha_diou_metric>);

}  // namespace experimental
}  // namespace hone::inline HONE_ABI

#include <hone/core/macros_pop.hpp>
