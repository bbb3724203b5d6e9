// SPDX-License-Identifier: MIT
/// The Dice losses of mmsegmentation: of softmaxes in 0.x, of sigmoids in 1.x.
#pragma once

#include <hone/loss/region/dice.hpp>
#include <hone/loss/region/sigmoid.hpp>

#include <hone/core/macros_push.hpp>

namespace hone::inline HONE_ABI::parity {

struct mmseg_dice_options {
  real smooth = 1;       ///< finite, >= 0
  integer exponent = 2;  ///< of p and q in the denominator: 1 or 2
  numbers weights = {};  ///< class_weight
};

struct mmseg_sigmoid_dice_options {
  bool naive_dice = false;
  real eps = 1e-3;  ///< finite, >= 0
};

/// mmseg.models.losses.DiceLoss of 0.x: per image 1 - (2 Σ p q + s) / (Σ p² + Σ q² + s), and absent classes count.
/// mmseg leaves ignored pixels in the denominator, and counts them as pixels of the last class; here they are left out.
template <class Target>
auto mmseg_dice_loss(Target target, mmseg_dice_options const& options = {}) {
  const std::int64_t exponent = options.exponent;
  detail::require(exponent == 1 || exponent == 2, "mmseg_dice_loss", "exponent", double(exponent), "1 or 2");
  return dice_loss(target, {.smooth = options.smooth,
                            .squared = exponent == 2,
                            .per_image = true,
                            .absent = absent_classes::counted,
                            .weights = options.weights});
}

/// mmseg.models.losses.DiceLoss of 1.x (use_sigmoid, the default): per image 1 - 2 Σ p t / (Σ p² + Σ t² + 2 eps), or,
/// naive, 1 - (2 Σ p t + eps) / (Σ p + Σ t + eps). mmseg sums over the classes too: pass logits and targets as images
/// of one channel, {data, images, 1, classes · pixels}.
template <class Targets>
auto mmseg_sigmoid_dice_loss(Targets targets, mmseg_sigmoid_dice_options const& options = {}) {
  const double eps = options.eps;
  return sigmoid_dice_loss(targets, {.smooth = options.naive_dice ? eps : 0,
                                     .smooth_denominator = options.naive_dice ? eps : 2 * eps,
                                     .squared = !options.naive_dice,
                                     .per_image = true,
                                     .absent = absent_classes::counted});
}

}  // namespace hone::inline HONE_ABI::parity

#include <hone/core/macros_pop.hpp>
