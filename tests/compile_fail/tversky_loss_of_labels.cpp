// SPDX-License-Identifier: MIT
// wrong: tversky_loss: the argument must be a target: wrap labels in hone::classes
#include <hone/hone.hpp>

#include <vector>

auto tversky_loss_of_labels(const std::vector<int>& labels) {
#ifdef WRONG
  return hone::tversky_loss(labels);
#else
  return hone::tversky_loss(hone::classes(labels));
#endif
}
