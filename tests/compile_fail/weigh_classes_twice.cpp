// SPDX-License-Identifier: MIT
// wrong: weigh_classes: the classes are weighed already
#include <hone/hone.hpp>

#include <vector>

auto weigh_classes_twice(const std::vector<int>& labels, const std::vector<float>& weights) {
#ifdef WRONG
  return hone::weigh_classes(hone::weigh_classes(hone::classes(labels), weights), weights);
#else
  return hone::weigh_classes(hone::classes(labels), weights);
#endif
}
