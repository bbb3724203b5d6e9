// SPDX-License-Identifier: MIT
// wrong: weigh_columns: .weights weighs the classes of a region loss
#include <hone/hone.hpp>

#include <vector>

auto weigh_columns_of_region_loss(hone::matrix_view<const float> masks, const std::vector<float>& weights) {
#ifdef WRONG
  return hone::weigh_columns(hone::binary_cross_entropy(masks) + hone::sigmoid_dice_loss(masks), weights);
#else
  return hone::weigh_columns(hone::binary_cross_entropy(masks), weights) +
         hone::sigmoid_dice_loss(masks, {.weights = weights});
#endif
}
