// SPDX-License-Identifier: MIT
/// The Dice loss of optax, whose smoothing is added to I and not to 2 I.
#pragma once

#include <hone/loss/region/tversky.hpp>

#include <hone/core/macros_push.hpp>

namespace hone::inline HONE_ABI::parity {

struct optax_dice_options {
  real alpha = 0.5, beta = 0.5;  ///< weights of false positives and of false negatives; finite, >= 0
  real smooth = 1;               ///< finite, >= 0
  numbers class_weights = {};    ///< ignore_background = True is a weight of 0 for class 0
};

/// The mean over the batch of optax.losses.dice_loss: per image 1 - (I + s) / (I + α (P - I) + β (Q - I) + s), and
/// absent classes count.
template <class Target>
auto optax_dice_loss(Target target, optax_dice_options const& options = {}) {
  return tversky_loss(target, {.alpha = options.alpha,
                               .beta = options.beta,
                               .smooth = options.smooth,
                               .per_image = true,
                               .absent = absent_classes::counted,
                               .weights = options.class_weights});
}

}  // namespace hone::inline HONE_ABI::parity

#include <hone/core/macros_pop.hpp>
