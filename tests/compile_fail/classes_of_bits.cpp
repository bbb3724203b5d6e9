// SPDX-License-Identifier: MIT
// wrong: classes: the labels must be integers side by side
#include <hone/hone.hpp>

#include <vector>

auto classes_of_bits(const std::vector<bool>& bits, const std::vector<signed char>& bytes) {
#ifdef WRONG
  return hone::cross_entropy(hone::classes(bits));
#else
  (void)bits;
  return hone::cross_entropy(hone::classes(bytes));
#endif
}
