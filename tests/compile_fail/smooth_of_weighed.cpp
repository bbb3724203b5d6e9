// SPDX-License-Identifier: MIT
// wrong: smooth: weigh_classes must be the outermost target
#include <hone/hone.hpp>

#include <vector>

auto smooth_of_weighed(const std::vector<int>& labels, const std::vector<float>& weights) {
#ifdef WRONG
  return hone::smooth(hone::weigh_classes(hone::classes(labels), weights), 0.1);
#else
  return hone::weigh_classes(hone::smooth(hone::classes(labels), 0.1), weights);
#endif
}
