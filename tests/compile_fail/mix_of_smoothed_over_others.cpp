// SPDX-License-Identifier: MIT
// wrong: mix: all parts must be smoothed over hone::allowed_classes, or none
#include <hone/hone.hpp>

#include <vector>

auto mix_of_smoothed_over_others(const std::vector<int>& labels) {
#ifdef WRONG
  return hone::mix(hone::smooth(hone::classes(labels), 0.1),
                   hone::smooth(hone::classes(labels), 0.1, hone::allowed_classes), 0.5);
#else
  return hone::mix(hone::classes(labels), hone::smooth(hone::classes(labels), 0.1, hone::allowed_classes), 0.5);
#endif
}
