// SPDX-License-Identifier: MIT
// wrong: classes: the labels must be integers side by side
#include <hone/hone.hpp>

#include <deque>
#include <vector>

auto classes_of_deque(const std::deque<int>& pieces, const std::vector<int>& labels) {
#ifdef WRONG
  return hone::cross_entropy(hone::classes(pieces));
#else
  (void)pieces;
  return hone::cross_entropy(hone::classes(labels));
#endif
}
