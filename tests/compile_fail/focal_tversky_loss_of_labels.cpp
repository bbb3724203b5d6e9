// SPDX-License-Identifier: MIT
// wrong: focal_tversky_loss: the argument must be a target: wrap labels in hone::classes
#include <hone/hone.hpp>

#include <vector>

auto focal_tversky_loss_of_labels(const std::vector<int>& labels) {
#ifdef WRONG
  return hone::focal_tversky_loss(labels);
#else
  return hone::focal_tversky_loss(hone::classes(labels));
#endif
}
