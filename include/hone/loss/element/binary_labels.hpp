// SPDX-License-Identifier: MIT
/// Label smoothing of binary cross entropy.
#pragma once

#include <hone/core/coefficient.hpp>
#include <hone/loss/element/logistic.hpp>
#include <hone/loss/element/term.hpp>

#include <algorithm>

#include <hone/core/macros_push.hpp>

namespace hone::inline HONE_ABI {

/// The numbers, in [0, 1], that replace the targets 1 and 0.
struct binary_labels {
  real positive = 1, negative = 0;
};

/// Returns 1 - ε/2 and ε/2, the smoothing y (1-ε) + ε/2 of YOLOv5, ultralytics and darknet, and of hone::smooth with
/// two classes. Throws hone::invalid_argument if ε is not in [0, 1].
inline binary_labels smooth_binary(real epsilon) {
  detail::require(epsilon >= 0 && epsilon <= 1, "smooth_binary", "epsilon", epsilon.value, "in [0, 1]");
  return {1 - 0.5 * epsilon, 0.5 * epsilon};
}

namespace ppyolo {

/// Returns 1 - δ and δ with δ = min(1/K, 1/40), PaddleDetection's smoothing of K classes. Throws if K < 1.
inline binary_labels smooth_binary(integer classes) {
  detail::require(classes >= 1, "ppyolo::smooth_binary", "classes", classes.value, "at least 1");
  const double delta = 1 / static_cast<double>(std::max<index>(classes, 40));
  return {1 - delta, delta};
}

}  // namespace ppyolo

/// Binary cross entropy against t' = negative + (positive - negative) t:
///   value  softplus(x) - t' x        gradient  σ(x) - t'
struct smoothed_binary_cross_entropy_formula {
  static constexpr bool of_probabilities = true;

  coefficient positive, negative;

  template <operand V, class W = unweighed>
  HONE_HD value_grad<V> operator()(V x, V t, W w = {}) const {
    const logistic<V> s(x);
    const V label = t * positive.as<V>() + (V(1) - t) * negative.as<V>();
    return {s.cross_entropy(x, label, w), s.slope(label, w)};
  }
};

/// Takes targets like binary_cross_entropy and maps them linearly, 1 to labels.positive and 0 to labels.negative,
/// without storing the smoothed targets. Throws if either label is not in [0, 1].
template <class Targets>
auto binary_cross_entropy(Targets targets, binary_labels labels) {
  static_assert(
      detail::element_targets<Targets>,
      "binary_cross_entropy: the targets must be a hone::matrix_view or hone::classes(labels), mixed or smoothed");
  const double positive = labels.positive, negative = labels.negative;
  detail::require(positive >= 0 && positive <= 1, "binary_cross_entropy", "positive", positive, "in [0, 1]");
  detail::require(negative >= 0 && negative <= 1, "binary_cross_entropy", "negative", negative, "in [0, 1]");
  return detail::element_loss(smoothed_binary_cross_entropy_formula{positive, negative}, targets);
}

static_assert(element_formula<smoothed_binary_cross_entropy_formula>);

}  // namespace hone::inline HONE_ABI

#include <hone/core/macros_pop.hpp>
