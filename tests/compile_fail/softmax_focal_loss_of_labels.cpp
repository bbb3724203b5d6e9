// SPDX-License-Identifier: MIT
// wrong: softmax_focal_loss: the argument must be a target: wrap labels in hone::classes
#include <hone/hone.hpp>

#include <vector>

auto softmax_focal_loss_of_labels(const std::vector<int>& labels) {
#ifdef WRONG
  return hone::softmax_focal_loss(labels);
#else
  return hone::softmax_focal_loss(hone::classes(labels));
#endif
}
