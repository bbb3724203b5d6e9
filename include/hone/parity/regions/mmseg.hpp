// SPDX-License-Identifier: MIT
/// The Dice loss of mmsegmentation (0.x, and 1.x before naive_dice).
#pragma once

#include <hone/loss/region/dice.hpp>

#include <hone/core/macros_push.hpp>

namespace hone::inline HONE_ABI::parity {

struct mmseg_dice_options {
  real smooth = 1;       ///< finite, >= 0
  integer exponent = 2;  ///< of p and q in the denominator: 1 or 2
  numbers weights = {};  ///< class_weight
};

/// mmseg.models.losses.DiceLoss: per image 1 - (2 Σ p q + s) / (Σ p² + Σ q² + s), and absent classes count. mmseg
/// leaves ignored pixels in the denominator, and counts them as pixels of the last class; here they are left out.
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

}  // namespace hone::inline HONE_ABI::parity

#include <hone/core/macros_pop.hpp>
