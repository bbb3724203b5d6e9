// SPDX-License-Identifier: MIT
// wrong: weigh_rows: the weights must be a std::vector, std::span or Eigen vector of float or double
#include <hone/hone.hpp>

#include <vector>

auto weigh_rows_by_integers(const std::vector<int>& labels, const std::vector<float>& weights) {
#ifdef WRONG
  return hone::weigh_rows(hone::cross_entropy(hone::classes(labels)), labels);
#else
  return hone::weigh_rows(hone::cross_entropy(hone::classes(labels)), weights);
#endif
}
