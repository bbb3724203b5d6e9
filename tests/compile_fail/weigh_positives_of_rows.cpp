// SPDX-License-Identifier: MIT
// wrong: weigh_positives: the first argument must be an objective of element-wise losses
#include <hone/hone.hpp>

#include <vector>

auto weigh_positives_of_rows(const std::vector<int>& labels) {
#ifdef WRONG
  return hone::weigh_positives(hone::cross_entropy(hone::classes(labels)), 2);
#else
  return hone::weigh_positives(hone::binary_cross_entropy(hone::classes(labels)), 2);
#endif
}
