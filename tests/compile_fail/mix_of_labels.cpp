// SPDX-License-Identifier: MIT
// wrong: mix: both arguments must be targets: wrap labels in hone::classes
#include <hone/hone.hpp>

#include <vector>

auto mix_of_labels(const std::vector<int>& labels) {
#ifdef WRONG
  return hone::mix(hone::classes(labels), labels, 0.5);
#else
  return hone::mix(hone::classes(labels), hone::classes(labels), 0.5);
#endif
}
