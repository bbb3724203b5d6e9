// SPDX-License-Identifier: MIT
// wrong: weigh_classes: the weights must be a std::vector, std::span or Eigen vector of float or double
#include <hone/hone.hpp>

#include <vector>

auto weigh_classes_by_integers(const std::vector<int>& labels, const std::vector<double>& weights) {
#ifdef WRONG
  return hone::weigh_classes(hone::classes(labels), labels);
#else
  return hone::weigh_classes(hone::classes(labels), weights);
#endif
}
