// SPDX-License-Identifier: MIT
// wrong: lovasz_softmax_loss: the argument must be hone::classes
#include <hone/hone.hpp>

#include <vector>

auto lovasz_softmax_loss_of_labels(const std::vector<int>& labels) {
#ifdef WRONG
  return hone::lovasz_softmax_loss(labels);
#else
  return hone::lovasz_softmax_loss(hone::classes(labels));
#endif
}
