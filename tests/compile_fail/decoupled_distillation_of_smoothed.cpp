// SPDX-License-Identifier: MIT
// wrong: decoupled_distillation: the first argument must be hone::classes
#include <hone/hone.hpp>

#include <vector>

auto decoupled_distillation_of_smoothed(const std::vector<int>& labels, hone::matrix_view<const float> teacher) {
  const auto target = hone::classes(labels);
#ifdef WRONG
  return hone::decoupled_distillation(hone::smooth(target, 0.1), teacher, 4);
#else
  return hone::decoupled_distillation(target, teacher, 4);
#endif
}
