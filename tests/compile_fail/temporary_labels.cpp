// SPDX-License-Identifier: MIT
// wrong: classes: labels are viewed, not copied: give the vector a name first
#include <hone/hone.hpp>

#include <vector>

auto temporary_labels(const std::vector<int>& labels) {
#ifdef WRONG
  return hone::classes(std::vector{0, 1, 2});
#else
  return hone::classes(labels);
#endif
}
