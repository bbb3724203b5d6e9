// SPDX-License-Identifier: MIT
// wrong: numbers per row or class are viewed, not copied: give the vector a name first
#include <hone/hone.hpp>

#include <vector>

auto temporary_weights(const std::vector<int>& labels, const std::vector<float>& weights) {
#ifdef WRONG
  return hone::weigh_classes(hone::classes(labels), std::vector{1.0f, 2.0f});
#else
  return hone::weigh_classes(hone::classes(labels), weights);
#endif
}
