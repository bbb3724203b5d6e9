// SPDX-License-Identifier: MIT
// wrong: partner_classes: the labels must be
#include <hone/hone.hpp>

#include <vector>

auto partner_classes_of_integers(const std::vector<int>& labels, const std::vector<hone::index>& partners) {
#ifdef WRONG
  return hone::partner_classes(labels, labels);
#else
  return hone::partner_classes(labels, partners);
#endif
}
