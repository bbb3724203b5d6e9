// SPDX-License-Identifier: MIT
// wrong: binary_cross_entropy: the targets must be a hone::matrix_view or hone::classes
#include <hone/hone.hpp>

#include <vector>

auto binary_cross_entropy_of_labels(const std::vector<int>& labels) {
#ifdef WRONG
  return hone::binary_cross_entropy(labels);
#else
  return hone::binary_cross_entropy(hone::classes(labels));
#endif
}
