// SPDX-License-Identifier: MIT
/// Soft Jaccard (IoU) loss of the classes of images.
#pragma once

#include <hone/loss/region/term.hpp>

#include <hone/core/macros_push.hpp>

namespace hone::inline HONE_ABI {

struct jaccard_options {
  real smooth = 0;                        ///< added to numerator and denominator; finite, >= 0
  optional_real smooth_denominator = {};  ///< added to the denominator in place of `smooth`
  bool squared = false;                   ///< Σ p² and Σ q² in the denominator
  bool logarithm = false;                 ///< -log J in place of 1 - J; J is at least 1e-7
  bool per_image = false;                 ///< one loss per image, and their mean; otherwise one for the batch
  absent_classes absent = absent_classes::skipped;
  numbers weights = {};  ///< one per class, finite, >= 0; a class of weight 0 is left out
};

namespace detail {

/// Returns the formula of J; fails if a smoothing is negative or not finite.
inline overlap_formula jaccard_formula(const char* function, jaccard_options const& options) {
  overlap_formula formula{.times = 1, .both = -1, .prediction = 1, .target = 1};
  formula.logarithm = options.logarithm;
  set_smooth(function, formula, options.smooth, options.smooth_denominator);
  return formula;
}
inline region_policy policy_of(jaccard_options const& options) {
  return {options.squared, options.per_image, options.absent, options.weights};
}

}  // namespace detail

/// Per class, J = (Σ p q + s) / (Σ p + Σ q - Σ p q + s), with p = softmax(z), q the target and the sums over the pixels
/// of a region that are not ignored (Rahman & Wang 2016, Optimizing Intersection-Over-Union in Deep Neural Networks):
///   value     mean over the classes of weight (1 - J)
/// The value does not depend on the reduction. Takes every target but weigh_classes.
template <class Target>
auto jaccard_loss(Target target, jaccard_options const& options = {}) {
  static_assert(row_target<Target>,
                "jaccard_loss: the argument must be a target: wrap labels in hone::classes, a matrix in "
                "hone::probabilities");
  static_assert(!weighed_target<Target>,
                "jaccard_loss: .weights weighs the classes of a region loss, not weigh_classes");
  return detail::region_loss_with(target, detail::policy_of(options),
                                  [&] { return detail::jaccard_formula("jaccard_loss", options); });
}

}  // namespace hone::inline HONE_ABI

#include <hone/core/macros_pop.hpp>
