// SPDX-License-Identifier: MIT
/// The region losses of segmentation_models_pytorch (from logits; mode "multiclass", or "binary" and "multilabel" for
/// the sigmoid ones): one region for the batch, a class without pixels has a loss of 0 that counts in the mean, and
/// smoothing is added to I, not to 2 I.
#pragma once

#include <hone/loss/region/sigmoid.hpp>
#include <hone/loss/region/tversky.hpp>

#include <hone/core/macros_push.hpp>

namespace hone::inline HONE_ABI::parity {

struct smp_dice_options {
  real smooth = 0;         ///< finite, >= 0
  bool logarithm = false;  ///< log_loss
  numbers weights = {};    ///< class_weights, of mean 1: smp divides by their sum. `classes` are weights of 0 and 1
};
using smp_jaccard_options = smp_dice_options;

struct smp_tversky_options {
  real alpha = 0.5;        ///< weight of false positives; finite, >= 0
  real beta = 0.5;         ///< weight of false negatives; finite, >= 0
  real gamma = 1;          ///< exponent of the mean over the classes; finite, > 0
  real smooth = 0;         ///< finite, >= 0
  bool logarithm = false;  ///< log_loss
  numbers weights = {};    ///< as in smp_dice_options
};

}  // namespace hone::inline HONE_ABI::parity

namespace hone::inline HONE_ABI::detail {

inline tversky_options tversky_of_smp(parity::smp_tversky_options const& options) {
  return {.alpha = options.alpha,
          .beta = options.beta,
          .smooth = options.smooth,
          .logarithm = options.logarithm,
          .absent = absent_classes::zero,
          .weights = options.weights};
}
/// Return the options of TverskyLoss that make it DiceLoss, half of whose smoothing is hone's, or JaccardLoss.
inline parity::smp_tversky_options dice_of_smp(parity::smp_dice_options const& options) {
  return {.smooth = options.smooth, .logarithm = options.logarithm, .weights = options.weights};
}
inline parity::smp_tversky_options jaccard_of_smp(parity::smp_jaccard_options const& options) {
  return {.alpha = 1, .beta = 1, .smooth = options.smooth, .logarithm = options.logarithm, .weights = options.weights};
}

}  // namespace hone::inline HONE_ABI::detail

namespace hone::inline HONE_ABI::parity {

/// smp.losses.TverskyLoss: (mean (1 - T))^γ with the mean over the classes. ignore_index is {.ignore = …} of the
/// target. For soft targets smp has (Σ p + Σ q - Σ |p - q|) / 2 in place of Σ p q; with labels they are equal.
template <class Target>
auto smp_tversky_loss(Target target, smp_tversky_options const& options = {}) {
  detail::require_positive("smp_tversky_loss", "gamma", options.gamma);
  auto term = tversky_loss(target, detail::tversky_of_smp(options));
  term.policy.power_of_mean = options.gamma;
  return term;
}
/// smp.losses.DiceLoss: D = (I + s) / (I + (Σ p (1-q) + Σ (1-p) q) / 2 + s).
template <class Target>
auto smp_dice_loss(Target target, smp_dice_options const& options = {}) {
  return parity::smp_tversky_loss(target, detail::dice_of_smp(options));
}
/// smp.losses.JaccardLoss
template <class Target>
auto smp_jaccard_loss(Target target, smp_jaccard_options const& options = {}) {
  return parity::smp_tversky_loss(target, detail::jaccard_of_smp(options));
}

/// The same in the modes "binary" and "multilabel", for targets of 0 and 1. ignore_index is hone::weigh_elements with
/// weights of 0 and 1.
template <class Targets>
auto smp_sigmoid_tversky_loss(Targets targets, smp_tversky_options const& options = {}) {
  detail::require_positive("smp_sigmoid_tversky_loss", "gamma", options.gamma);
  auto term = sigmoid_tversky_loss(targets, detail::tversky_of_smp(options));
  term.formula.policy.power_of_mean = options.gamma;
  return term;
}
template <class Targets>
auto smp_sigmoid_dice_loss(Targets targets, smp_dice_options const& options = {}) {
  return parity::smp_sigmoid_tversky_loss(targets, detail::dice_of_smp(options));
}
template <class Targets>
auto smp_sigmoid_jaccard_loss(Targets targets, smp_jaccard_options const& options = {}) {
  return parity::smp_sigmoid_tversky_loss(targets, detail::jaccard_of_smp(options));
}

}  // namespace hone::inline HONE_ABI::parity

#include <hone/core/macros_pop.hpp>
