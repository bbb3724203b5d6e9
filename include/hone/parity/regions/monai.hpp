// SPDX-License-Identifier: MIT
/// The region losses of MONAI (softmax = True, to_onehot_y = True): a region is an image, and absent classes count.
#pragma once

#include <hone/loss/region/dice.hpp>
#include <hone/loss/region/tversky.hpp>

#include <hone/core/macros_push.hpp>

namespace hone::inline HONE_ABI::parity {

struct monai_dice_options {
  bool squared_pred = false, jaccard = false, batch = false;
  real smooth_nr = 1e-5, smooth_dr = 1e-5;  ///< finite, >= 0
  numbers weight = {};                      ///< one per class; include_background = False is a weight of 0 for class 0
};

struct monai_tversky_options {
  real alpha = 0.5, beta = 0.5;  ///< weights of false positives and of false negatives; finite, >= 0
  bool batch = false;
  real smooth_nr = 1e-5, smooth_dr = 1e-5;  ///< finite, >= 0
  numbers weight = {};                      ///< include_background = False is a weight of 0 for class 0
};

/// monai.losses.DiceLoss: 1 - (2 I + nr) / (P + Q + dr); with jaccard 1 - (2 I + nr) / (2 (P + Q - I) + dr). An image
/// whose pixels are all ignored does not count here; in MONAI its losses are 1 - nr / dr.
template <class Target>
auto monai_dice_loss(Target target, monai_dice_options const& options = {}) {
  auto term = dice_loss(target, {.smooth = options.smooth_nr,
                                 .smooth_denominator = options.smooth_dr.value,
                                 .squared = options.squared_pred,
                                 .per_image = !options.batch,
                                 .absent = absent_classes::counted,
                                 .weights = options.weight});
  if (options.jaccard) term.formula.both = -2, term.formula.prediction = term.formula.target = 2;
  return term;
}
/// monai.losses.TverskyLoss
template <class Target>
auto monai_tversky_loss(Target target, monai_tversky_options const& options = {}) {
  return tversky_loss(target, {.alpha = options.alpha,
                               .beta = options.beta,
                               .smooth = options.smooth_nr,
                               .smooth_denominator = options.smooth_dr.value,
                               .per_image = !options.batch,
                               .absent = absent_classes::counted,
                               .weights = options.weight});
}

}  // namespace hone::inline HONE_ABI::parity

#include <hone/core/macros_pop.hpp>
