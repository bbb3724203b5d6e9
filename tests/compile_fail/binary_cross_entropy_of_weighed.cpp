// SPDX-License-Identifier: MIT
// wrong: binary_cross_entropy: the targets must be a hone::matrix_view or hone::classes
#include <hone/hone.hpp>

#include <vector>

auto binary_cross_entropy_of_weighed(const std::vector<int>& labels, const std::vector<float>& weights) {
#ifdef WRONG
  return hone::binary_cross_entropy(hone::weigh_classes(hone::classes(labels), weights));
#else
  return hone::weigh_columns(hone::binary_cross_entropy(hone::classes(labels)), weights);
#endif
}
