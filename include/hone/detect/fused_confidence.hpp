// SPDX-License-Identifier: MIT
/// The confidence of a detector that predicts its boxes' IoU (IoU-aware, Wu et al. 2020, arXiv 1912.05992; PP-YOLO).
#pragma once

#include <hone/core/error.hpp>
#include <hone/core/overlap.hpp>
#include <hone/core/view.hpp>
#include <hone/core/view_check.hpp>
#include <hone/loss/element/logistic.hpp>

#include <algorithm>
#include <cmath>
#include <limits>

#include <hone/core/macros_push.hpp>

namespace hone::inline HONE_ABI {

struct fused_confidence_options {
  real alpha = 0.5;     ///< in [0, 1]: exponent of the IoU; 0.4 in PP-YOLO, 0.5 in PP-YOLOv2
  bool logits = false;  ///< write the logit of the confidence instead of the confidence
  real epsilon = 1e-7;  ///< in (0, 0.5), used with logits only: clamps the odds of a logit to [ε, 1/ε - 1]. An ε below
                        ///< the smallest normal number of the arithmetic is raised to it
};

/// For the logits o of objectness and u of IoU, with s = (1-α) softplus(-o) + α softplus(-u):
///   confidence  σ(o)^(1-α) σ(u)^α = exp(-s)
///   its logit   -log(max(ε, exp(min(s, -log ε)) - 1))
/// The logarithm of the confidence is never computed, so that no digits are lost near 0 or 1. If α is 0 or 1, only one
/// of the two logits has an effect, even if the other is NaN.
struct fused_confidence_formula {
  double alpha, epsilon, limit;  ///< limit = -log ε
  bool logits;

  /// `smallest_normal` is the smallest normal number of the arithmetic; the inverse of a smaller ε would be infinite.
  explicit fused_confidence_formula(fused_confidence_options const& o,
                                    double smallest_normal = std::numeric_limits<double>::min())
      : alpha(o.alpha),
        epsilon(std::max(o.epsilon.value, smallest_normal)),
        limit(-std::log(epsilon)),
        logits(o.logits) {}

  template <operand V>
  HONE_HD V operator()(V objectness, V iou) const {
    const V s = part(1 - alpha, objectness) + part(alpha, iou);
    if (!logits) return exp_of_nonpositive(-s);
    return -log(max(expm1(min(s, V(limit))), V(epsilon)));
  }

 private:
  template <operand V>
  HONE_HD static V part(double weight, V x) {
    return weight == 0 ? V(0) : V(weight) * logistic<V>(-x).softplus;
  }
};

namespace detail {

/// The checks of fused_confidence on every backend.
template <class T>
void require_fused(matrix_view<const T> objectness, matrix_view<const T> iou, matrix_view<T> out,
                   fused_confidence_options const& o) {
  const char* const function = "fused_confidence";
  const auto matrix = [&]<class U>(const char* name, matrix_view<U> v) {
    require_sizes(function, name, v.rows, v.columns);
    if (v.rows != objectness.rows || v.columns != objectness.columns)
      fail("%s: %s is %jd x %jd, objectness is %jd x %jd", function, name, std::intmax_t(v.rows),
           std::intmax_t(v.columns), std::intmax_t(objectness.rows), std::intmax_t(objectness.columns));
    require_memory(function, name, v);
  };
  matrix("objectness", objectness);
  matrix("iou", iou);
  matrix("out", out);
  require_same_or_apart(function, "out", footprint_of(out), "objectness", footprint_of(objectness));
  require_same_or_apart(function, "out", footprint_of(out), "iou", footprint_of(iou));
  require(o.alpha >= 0 && o.alpha <= 1, function, "alpha", o.alpha.value, "in [0, 1]");
  require(o.epsilon > 0 && o.epsilon < 0.5, function, "epsilon", o.epsilon.value, "in (0, 0.5)");
}

}  // namespace detail
}  // namespace hone::inline HONE_ABI

#include <hone/core/macros_pop.hpp>
