// SPDX-License-Identifier: MIT
// wrong: classes: the labels must be integers side by side
#include <hone/hone.hpp>

#include <vector>

enum class animal : int { cat, dog };

auto classes_of_enums(const std::vector<animal>& animals, const std::vector<int>& labels) {
#ifdef WRONG
  return hone::binary_cross_entropy(hone::classes(animals));
#else
  (void)animals;
  return hone::binary_cross_entropy(hone::classes(labels));
#endif
}
