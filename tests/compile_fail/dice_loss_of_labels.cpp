// SPDX-License-Identifier: MIT
// wrong: dice_loss: the argument must be a target: wrap labels in hone::classes
#include <hone/hone.hpp>

#include <vector>

auto dice_loss_of_labels(const std::vector<int>& labels) {
#ifdef WRONG
  return hone::dice_loss(labels);
#else
  return hone::dice_loss(hone::classes(labels));
#endif
}
