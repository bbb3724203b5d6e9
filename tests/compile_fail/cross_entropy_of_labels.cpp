// SPDX-License-Identifier: MIT
// wrong: cross_entropy: the argument must be a target: wrap labels in hone::classes
#include <hone/hone.hpp>

#include <vector>

auto cross_entropy_of_labels(const std::vector<int>& labels) {
#ifdef WRONG
  return hone::cross_entropy(labels);
#else
  return hone::cross_entropy(hone::classes(labels));
#endif
}
