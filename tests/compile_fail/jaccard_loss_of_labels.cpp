// SPDX-License-Identifier: MIT
// wrong: jaccard_loss: the argument must be a target: wrap labels in hone::classes
#include <hone/hone.hpp>

#include <vector>

auto jaccard_loss_of_labels(const std::vector<int>& labels) {
#ifdef WRONG
  return hone::jaccard_loss(labels);
#else
  return hone::jaccard_loss(hone::classes(labels));
#endif
}
