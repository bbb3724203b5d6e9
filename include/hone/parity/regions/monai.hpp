// SPDX-License-Identifier: MIT
/// The region losses of MONAI (softmax = True, to_onehot_y = True; sigmoid = True for the sigmoid ones): a region is an
/// image, and absent classes count.
#pragma once

#include <hone/loss/region/dice.hpp>
#include <hone/loss/region/sigmoid.hpp>
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

}  // namespace hone::inline HONE_ABI::parity

namespace hone::inline HONE_ABI::detail {

inline dice_options dice_of_monai(parity::monai_dice_options const& options) {
  return {.smooth = options.smooth_nr,
          .smooth_denominator = options.smooth_dr.value,
          .squared = options.squared_pred,
          .per_image = !options.batch,
          .absent = absent_classes::counted,
          .weights = options.weight};
}
inline tversky_options tversky_of_monai(parity::monai_tversky_options const& options) {
  return {.alpha = options.alpha,
          .beta = options.beta,
          .smooth = options.smooth_nr,
          .smooth_denominator = options.smooth_dr.value,
          .per_image = !options.batch,
          .absent = absent_classes::counted,
          .weights = options.weight};
}
/// Returns the term with MONAI's denominator of `jaccard`.
template <class Term>
Term with_jaccard(Term term, parity::monai_dice_options const& options) {
  overlap_formula& formula = region_of(term).formula;
  if (options.jaccard) formula.both = -2, formula.prediction = formula.target = 2;
  return term;
}

}  // namespace hone::inline HONE_ABI::detail

namespace hone::inline HONE_ABI::parity {

/// monai.losses.DiceLoss: 1 - (2 I + nr) / (P + Q + dr); with jaccard 1 - (2 I + nr) / (2 (P + Q - I) + dr). An image
/// whose pixels are all ignored does not count here; in MONAI its losses are 1 - nr / dr.
template <class Target>
auto monai_dice_loss(Target target, monai_dice_options const& options = {}) {
  return detail::with_jaccard(dice_loss(target, detail::dice_of_monai(options)), options);
}
/// monai.losses.TverskyLoss
template <class Target>
auto monai_tversky_loss(Target target, monai_tversky_options const& options = {}) {
  return tversky_loss(target, detail::tversky_of_monai(options));
}
template <class Targets>
auto monai_sigmoid_dice_loss(Targets targets, monai_dice_options const& options = {}) {
  return detail::with_jaccard(sigmoid_dice_loss(targets, detail::dice_of_monai(options)), options);
}
template <class Targets>
auto monai_sigmoid_tversky_loss(Targets targets, monai_tversky_options const& options = {}) {
  return sigmoid_tversky_loss(targets, detail::tversky_of_monai(options));
}

}  // namespace hone::inline HONE_ABI::parity

#include <hone/core/macros_pop.hpp>
