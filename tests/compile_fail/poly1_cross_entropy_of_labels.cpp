// SPDX-License-Identifier: MIT
// wrong: poly1_cross_entropy: the argument must be a target: wrap labels in hone::classes
#include <hone/hone.hpp>

#include <vector>

auto poly1_cross_entropy_of_labels(const std::vector<int>& labels) {
#ifdef WRONG
  return hone::poly1_cross_entropy(labels);
#else
  return hone::poly1_cross_entropy(hone::classes(labels));
#endif
}
