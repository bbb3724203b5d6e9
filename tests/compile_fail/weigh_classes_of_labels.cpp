// SPDX-License-Identifier: MIT
// wrong: weigh_classes: the first argument must be a target, such as hone::classes
#include <hone/hone.hpp>

#include <vector>

auto weigh_classes_of_labels(const std::vector<int>& labels, const std::vector<float>& weights) {
#ifdef WRONG
  return hone::weigh_classes(labels, weights);
#else
  return hone::weigh_classes(hone::classes(labels), weights);
#endif
}
