// SPDX-License-Identifier: MIT
// wrong: sigmoid_dice_loss: the targets must be a hone::matrix_view or hone::classes
#include <hone/hone.hpp>

#include <vector>

auto sigmoid_dice_loss_of_labels(const std::vector<int>& labels) {
#ifdef WRONG
  return hone::sigmoid_dice_loss(labels);
#else
  return hone::sigmoid_dice_loss(hone::classes(labels));
#endif
}
