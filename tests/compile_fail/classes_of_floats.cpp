// SPDX-License-Identifier: MIT
// wrong: classes: the labels must be integers side by side
#include <hone/hone.hpp>

#include <vector>

auto classes_of_floats(const std::vector<float>& floats, const std::vector<int>& labels) {
#ifdef WRONG
  return hone::cross_entropy(hone::smooth(hone::classes(floats), 0.1));
#else
  (void)floats;
  return hone::cross_entropy(hone::smooth(hone::classes(labels), 0.1));
#endif
}
