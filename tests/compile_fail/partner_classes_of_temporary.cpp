// SPDX-License-Identifier: MIT
// wrong: partner_classes: labels and partners are viewed, not copied: give the vectors names first
#include <hone/hone.hpp>

#include <vector>

auto partner_classes_of_temporary(std::vector<int> const& labels, hone::mixup const& policy) {
#ifdef WRONG
  return hone::partner_classes(labels, policy.draw(1, 2, 3).partner);
#else
  static const auto draw = policy.draw(1, 2, 3);
  return hone::partner_classes(labels, draw.partner);
#endif
}
