// SPDX-License-Identifier: MIT
// wrong: focal_tversky_loss: .weights weighs the classes of a region loss, not weigh_classes
#include <hone/hone.hpp>

#include <vector>

auto focal_tversky_loss_of_weighed(const std::vector<int>& labels, const std::vector<float>& weights) {
#ifdef WRONG
  return hone::focal_tversky_loss(hone::weigh_classes(hone::classes(labels), weights));
#else
  return hone::focal_tversky_loss(hone::classes(labels), {.weights = weights});
#endif
}
