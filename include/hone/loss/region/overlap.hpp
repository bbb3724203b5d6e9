// SPDX-License-Identifier: MIT
/// Dice, Jaccard and Tversky coefficients of one class of a region, as losses: one formula with different factors.
#pragma once

#include <hone/core/operand.hpp>

#include <hone/core/macros_push.hpp>

namespace hone::inline HONE_ABI {

/// The sums over the pixels of a region for one class, with p the probability and q the target of a pixel: Σ p q, Σ p
/// and Σ q, or Σ p² and Σ q² in place of the last two.
template <class V>
struct region_sums {
  V both, prediction, target;
};

/// The loss of one class with its derivatives by Σ p q and by Σ p or Σ p².
template <class V>
struct region_loss {
  V loss, by_both, by_prediction;
};

/// With I = Σ p q, P = Σ p and Q = Σ q (or Σ p² and Σ q²):
///   R = (times I + smooth_above) / (both I + prediction P + target Q + smooth_below)
///   value     (1 - R)^γ, or (-log max(R, least))^γ
///   gradient  by I and by P
/// If the denominator is 0, the class is neither in the prediction nor in the target: R = 1, and the value and the
/// gradient are 0. Where the value is 0 or R is below `least`, the gradient is that of a constant.
struct overlap_formula {
  double times = 2, both = 0, prediction = 1, target = 1;
  double smooth_above = 0, smooth_below = 0;
  double gamma = 1, least = 1e-7;
  bool logarithm = false;

  template <operand V>
  HONE_HD region_loss<V> operator()(region_sums<V> const& s) const {
    const V none(0), one(1);
    const V whole = V(both) * s.both + V(prediction) * s.prediction + V(target) * s.target + V(smooth_below);
    const V part = V(times) * s.both + V(smooth_above);
    const V inverse = one / select(whole == none, one, whole);
    const V ratio = part * inverse;
    const V by_both = inverse * (V(times) - ratio * V(both)), by_prediction = -(inverse * ratio * V(prediction));
    V loss = (whole - part) * inverse, slope(-1);  // slope: by R
    if (logarithm) {
      const V kept = max(ratio, V(least));
      loss = select(ratio < V(0.5), -log(kept), -log1p(-min(loss, V(0.5))));
      slope = select(ratio < V(least), none, -one / kept);
    }
    if (gamma != 1) {
      const V base = select(none < loss, loss, one);
      const V power = exp(V(gamma) * log(base));
      slope = select(none < loss, slope * V(gamma) * power / base, zero_unless_nan(loss));
      loss = select(none < loss, power, zero_unless_nan(loss));
    }
    const auto empty = whole == none;
    return {select(empty, none, loss), select(empty, none, slope * by_both),
            select(empty, none, slope * by_prediction)};
  }

 private:
  /// Returns 0, or NaN for NaN: x is at most 0 or NaN.
  template <class V>
  HONE_HD static V zero_unless_nan(V x) {
    return select(x == x, V(0), x);
  }
};

}  // namespace hone::inline HONE_ABI

#include <hone/core/macros_pop.hpp>
