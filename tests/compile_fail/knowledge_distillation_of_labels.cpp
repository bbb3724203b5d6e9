// SPDX-License-Identifier: MIT
// wrong: knowledge_distillation: the first argument must be a target: wrap labels in hone::classes
#include <hone/hone.hpp>

#include <vector>

auto knowledge_distillation_of_labels(const std::vector<int>& labels, hone::matrix_view<const float> teacher) {
#ifdef WRONG
  return hone::knowledge_distillation(labels, teacher, 4);
#else
  return hone::knowledge_distillation(hone::classes(labels), teacher, 4);
#endif
}
