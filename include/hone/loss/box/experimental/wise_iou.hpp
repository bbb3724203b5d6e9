// SPDX-License-Identifier: MIT
/// Wise-IoU (Tong et al. 2023, arXiv 2301.10051), as in its author's code. Experimental.
#pragma once

#include <hone/loss/box/diou.hpp>

#include <cmath>

#include <hone/core/macros_push.hpp>

namespace hone::inline HONE_ABI::experimental {

/// With ρ the distance of the centres, c the diagonal of the hull and β = (1 - IoU) / mean the outlier degree; c and β
/// carry no gradient:
///   v1   exp(ρ²/c²) (1 - IoU)
///   v3   v1 β / (δ α^(β - δ))
struct wise_iou_formula {
  double mean, alpha, delta;  ///< mean 0: v1

  template <operand V, class Format>
  HONE_HD HONE_INLINE box_grad<V> operator()(box_pair<V, Format> const& b) const noexcept {
    box_metric<V> m = iou_metric{}(b);
    const detail::relative_distance<V> distance(b);
    const V missed = m.lost, far = V(2.7182818284590452) * exp_of_nonpositive(min(distance.value, V(1)) - V(1));
    const auto along = [&](axis_slope<V> const& a) { return axis_slope<V>{V(0), V(0), missed * a.offset}; };
    detail::add_slopes(b, along(distance.x), along(distance.y), m);  // the hull carries no gradient
    const V weight = mean > 0 ? far * focus(missed) : far;
    return {weight * missed, detail::times(weight, m.grad)};
  }

 private:
  template <operand V>
  HONE_HD HONE_INLINE V focus(V missed) const noexcept {
    const V beta = min(missed / V(mean), V(1000));  // above it the weight is 0
    return beta / V(delta) * exp(V(std::log(alpha)) * (V(delta) - beta));
  }
};

/// The running mean of 1 - IoU that v3 divides by: with its momentum, 5 % of the start value is left after `steps`.
struct wise_iou_mean {
  double mean = 1, momentum = 0;

  /// steps = batches per epoch times epochs. Throws hone::invalid_argument if steps < 1.
  static wise_iou_mean over(integer steps) {
    detail::require(steps.value >= 1, "wise_iou_mean", "steps", steps.value, "at least 1");
    return {1, 1 - std::pow(0.05, 1 / static_cast<double>(steps.value))};
  }
  /// Takes the mean loss of iou_loss over a batch. Throws hone::invalid_argument if it is not in [0, 1].
  void update(real batch_mean) {
    detail::require(batch_mean >= 0 && batch_mean <= 1, "wise_iou_mean", "batch_mean", batch_mean.value, "in [0, 1]");
    mean += momentum * (batch_mean - mean);
  }
};

struct wise_iou_options {
  real mean = 0;     ///< for v3: the mean of 1 - IoU, in [1e-6, 1]; for v1: 0
  real alpha = 1.9;  ///< in (1, 10]
  real delta = 3;    ///< in [0.01, 10]
};

/// Wise-IoU of each predicted box (n x 4) with the box in the same row of `boxes`.
template <class Boxes, class Format = corners_format>
auto wise_iou_loss(Boxes boxes, wise_iou_options options = {}, Format format = {}) {
  const double mean = options.mean, alpha = options.alpha, delta = options.delta;
  detail::require(mean == 0 || (mean >= 1e-6 && mean <= 1), "wise_iou_loss", "mean", mean, "0 or in [1e-6, 1]");
  detail::require(alpha > 1 && alpha <= 10, "wise_iou_loss", "alpha", alpha, "in (1, 10]");
  detail::require(delta >= 0.01 && delta <= 10, "wise_iou_loss", "delta", delta, "in [0.01, 10]");
  return detail::box_loss(wise_iou_formula{mean, alpha, delta}, format, boxes);
}
template <class Boxes, class Format>
auto wise_iou_loss(Boxes boxes, Format format) {
  return experimental::wise_iou_loss(boxes, wise_iou_options(), format);
}

static_assert(box_formula<wise_iou_formula>);

}  // namespace hone::inline HONE_ABI::experimental

#include <hone/core/macros_pop.hpp>
