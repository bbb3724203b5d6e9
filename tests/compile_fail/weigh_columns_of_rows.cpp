// SPDX-License-Identifier: MIT
// wrong: weigh_columns: the first argument must be an objective of element-wise losses
#include <hone/hone.hpp>

#include <vector>

auto weigh_columns_of_rows(const std::vector<int>& labels, const std::vector<float>& weights) {
#ifdef WRONG
  return hone::weigh_columns(hone::cross_entropy(hone::classes(labels)), weights);
#else
  return hone::weigh_columns(hone::binary_cross_entropy(hone::classes(labels)), weights);
#endif
}
