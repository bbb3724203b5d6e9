// SPDX-License-Identifier: MIT
// wrong: two_hot: the values must be a std::vector or std::span of float or double
#include <hone/hone.hpp>

#include <vector>

#ifdef WRONG
auto two_hot_of_labels(const std::vector<int>& values) {
#else
auto two_hot_of_labels(const std::vector<float>& values) {
#endif
  return hone::two_hot(values);
}
