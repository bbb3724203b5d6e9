// SPDX-License-Identifier: MIT
// wrong: classes: the labels must be integers side by side.*not a pointer
#include <hone/hone.hpp>

#include <cstddef>
#include <span>

auto classes_of_pointer(const int* labels, std::size_t rows) {
#ifdef WRONG
  return hone::cross_entropy(hone::classes(labels));
#else
  return hone::cross_entropy(hone::classes(std::span(labels, rows)));
#endif
}
