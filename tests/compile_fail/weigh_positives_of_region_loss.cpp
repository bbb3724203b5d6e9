// SPDX-License-Identifier: MIT
// wrong: weigh_positives: a formula of this objective has no weight of positives
#include <hone/hone.hpp>

auto weigh_positives_of_region_loss(hone::matrix_view<const float> masks) {
#ifdef WRONG
  return hone::weigh_positives(hone::binary_cross_entropy(masks) + hone::sigmoid_dice_loss(masks), 2);
#else
  return hone::weigh_positives(hone::binary_cross_entropy(masks), 2) + hone::sigmoid_dice_loss(masks);
#endif
}
