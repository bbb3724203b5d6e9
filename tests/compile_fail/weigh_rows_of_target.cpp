// SPDX-License-Identifier: MIT
// wrong: weigh_rows: the first argument must be an objective, such as hone::cross_entropy
#include <hone/hone.hpp>

#include <vector>

auto weigh_rows_of_target(const std::vector<int>& labels, const std::vector<float>& weights) {
#ifdef WRONG
  return hone::weigh_rows(hone::classes(labels), weights);
#else
  return hone::weigh_rows(hone::cross_entropy(hone::classes(labels)), weights);
#endif
}
