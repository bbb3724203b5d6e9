// SPDX-License-Identifier: MIT
/// Tversky and focal Tversky losses of the classes of images: false positives and false negatives have weights.
#pragma once

#include <hone/loss/region/term.hpp>

#include <hone/core/macros_push.hpp>

namespace hone::inline HONE_ABI {

struct tversky_options {
  real alpha = 0.3;                       ///< weight of Σ p (1-q), the false positives; finite, >= 0
  real beta = 0.7;                        ///< weight of Σ (1-p) q, the false negatives; finite, >= 0
  real smooth = 0;                        ///< added to numerator and denominator; finite, >= 0
  optional_real smooth_denominator = {};  ///< added to the denominator in place of `smooth`
  bool logarithm = false;                 ///< -log T in place of 1 - T; T is at least 1e-7
  bool per_image = false;                 ///< one loss per image, and their mean; otherwise one for the batch
  absent_classes absent = absent_classes::skipped;
  numbers weights = {};  ///< one per class, finite, >= 0; a class of weight 0 is left out
};

struct focal_tversky_options {
  real alpha = 0.3;                       ///< weight of Σ p (1-q), the false positives; finite, >= 0
  real beta = 0.7;                        ///< weight of Σ (1-p) q, the false negatives; finite, >= 0
  real gamma = 0.75;                      ///< exponent of 1 - T, 1/γ in the source; finite, > 0
  real smooth = 0;                        ///< added to numerator and denominator; finite, >= 0
  optional_real smooth_denominator = {};  ///< added to the denominator in place of `smooth`
  bool per_image = false;                 ///< one loss per image, and their mean; otherwise one for the batch
  absent_classes absent = absent_classes::skipped;
  numbers weights = {};  ///< one per class, finite, >= 0; a class of weight 0 is left out
};

namespace detail {

/// Return the formula of T, and of its power; fail if α, β, γ or a smoothing is not in its range.
template <class Options>
overlap_formula tversky_formula(const char* function, Options const& options) {
  const double alpha = options.alpha, beta = options.beta;
  require(alpha >= 0 && finite(alpha), function, "alpha", alpha, "finite and not negative");
  require(beta >= 0 && finite(beta), function, "beta", beta, "finite and not negative");
  overlap_formula formula{.times = 1, .both = 1 - alpha - beta, .prediction = alpha, .target = beta};
  set_smooth(function, formula, options.smooth, options.smooth_denominator);
  if constexpr (requires { options.logarithm; }) formula.logarithm = options.logarithm;
  if constexpr (requires { options.gamma; }) {
    require_positive(function, "gamma", options.gamma);
    formula.gamma = options.gamma;
  }
  return formula;
}
inline region_policy policy_of(tversky_options const& options) {
  return {false, options.per_image, options.absent, options.weights};
}
inline region_policy policy_of(focal_tversky_options const& options) {
  return {false, options.per_image, options.absent, options.weights};
}

}  // namespace detail

/// Per class, T = (I + s) / (I + α Σ p (1-q) + β Σ (1-p) q + s) with I = Σ p q, p = softmax(z), q the target and the
/// sums over the pixels of a region that are not ignored (Salehi et al. 2017, arXiv 1706.05721; α = β = 1/2 is Dice,
/// α = β = 1 Jaccard):
///   value     mean over the classes of weight (1 - T)
/// The value does not depend on the reduction. Takes every target but weigh_classes.
template <class Target>
auto tversky_loss(Target target, tversky_options const& options = {}) {
  static_assert(row_target<Target>,
                "tversky_loss: the argument must be a target: wrap labels in hone::classes, a matrix in "
                "hone::probabilities");
  static_assert(!weighed_target<Target>,
                "tversky_loss: .weights weighs the classes of a region loss, not weigh_classes");
  return detail::region_loss_with(target, detail::policy_of(options),
                                  [&] { return detail::tversky_formula("tversky_loss", options); });
}

/// The same with (1 - T)^γ in place of 1 - T, so that classes that overlap well count less if γ > 1, and more if γ < 1
/// (Abraham & Khan 2018, arXiv 1810.07842, with the exponent 1/γ and γ = 4/3).
template <class Target>
auto focal_tversky_loss(Target target, focal_tversky_options const& options = {}) {
  static_assert(row_target<Target>,
                "focal_tversky_loss: the argument must be a target: wrap labels in hone::classes, a matrix in "
                "hone::probabilities");
  static_assert(!weighed_target<Target>,
                "focal_tversky_loss: .weights weighs the classes of a region loss, not weigh_classes");
  return detail::region_loss_with(target, detail::policy_of(options),
                                  [&] { return detail::tversky_formula("focal_tversky_loss", options); });
}

}  // namespace hone::inline HONE_ABI

#include <hone/core/macros_pop.hpp>
