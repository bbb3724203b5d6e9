// SPDX-License-Identifier: MIT
/// Soft Dice loss of the classes of images.
#pragma once

#include <hone/loss/region/term.hpp>

#include <hone/core/macros_push.hpp>

namespace hone::inline HONE_ABI {

struct dice_options {
  real smooth = 0;                        ///< added to numerator and denominator; finite, >= 0
  optional_real smooth_denominator = {};  ///< added to the denominator in place of `smooth`
  bool squared = false;                   ///< Σ p² and Σ q² in the denominator, as in the source
  bool logarithm = false;                 ///< -log D in place of 1 - D; D is at least 1e-7
  bool per_image = false;                 ///< one loss per image, and their mean; otherwise one for the batch
  absent_classes absent = absent_classes::skipped;
  numbers weights = {};  ///< one per class, finite, >= 0; a class of weight 0 is left out
};

namespace detail {

/// Returns the formula of D; fails if a smoothing is negative or not finite.
inline overlap_formula dice_formula(const char* function, dice_options const& options) {
  overlap_formula formula{.times = 2, .both = 0, .prediction = 1, .target = 1};
  formula.logarithm = options.logarithm;
  set_smooth(function, formula, options.smooth, options.smooth_denominator);
  return formula;
}
inline region_policy policy_of(dice_options const& options) {
  return {options.squared, options.per_image, options.absent, options.weights};
}

}  // namespace detail

/// Per class, D = (2 Σ p q + s) / (Σ p + Σ q + s), with p = softmax(z), q the target and the sums over the pixels of a
/// region that are not ignored (Milletari et al. 2016, arXiv 1606.04797, which squares the denominator's p and q):
///   value     mean over the classes of weight (1 - D)
/// The value does not depend on the reduction. Takes every target but weigh_classes.
template <class Target>
auto dice_loss(Target target, dice_options const& options = {}) {
  static_assert(row_target<Target>,
                "dice_loss: the argument must be a target: wrap labels in hone::classes, a matrix in "
                "hone::probabilities");
  static_assert(!weighed_target<Target>, "dice_loss: .weights weighs the classes of a region loss, not weigh_classes");
  return detail::region_loss_with(target, detail::policy_of(options),
                                  [&] { return detail::dice_formula("dice_loss", options); });
}

}  // namespace hone::inline HONE_ABI

#include <hone/core/macros_pop.hpp>
