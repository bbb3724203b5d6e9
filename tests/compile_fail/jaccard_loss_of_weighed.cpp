// SPDX-License-Identifier: MIT
// wrong: jaccard_loss: .weights weighs the classes of a region loss, not weigh_classes
#include <hone/hone.hpp>

#include <vector>

auto jaccard_loss_of_weighed(const std::vector<int>& labels, const std::vector<float>& weights) {
#ifdef WRONG
  return hone::jaccard_loss(hone::weigh_classes(hone::classes(labels), weights));
#else
  return hone::jaccard_loss(hone::classes(labels), {.weights = weights});
#endif
}
