// SPDX-License-Identifier: MIT
// wrong: smooth: all parts must be smoothed over hone::allowed_classes, or none
#include <hone/hone.hpp>

#include <vector>

auto smooth_twice_over_others(const std::vector<int>& labels) {
#ifdef WRONG
  return hone::smooth(hone::smooth(hone::classes(labels), 0.1), 0.1, hone::allowed_classes);
#else
  return hone::smooth(hone::smooth(hone::classes(labels), 0.1, hone::allowed_classes), 0.1, hone::allowed_classes);
#endif
}
