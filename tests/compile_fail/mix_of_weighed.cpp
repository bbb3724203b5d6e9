// SPDX-License-Identifier: MIT
// wrong: mix: weigh_classes must be the outermost target
#include <hone/hone.hpp>

#include <vector>

auto mix_of_weighed(const std::vector<int>& labels, const std::vector<float>& weights) {
#ifdef WRONG
  return hone::mix(hone::classes(labels), hone::weigh_classes(hone::classes(labels), weights), 0.5);
#else
  return hone::weigh_classes(hone::mix(hone::classes(labels), hone::classes(labels), 0.5), weights);
#endif
}
