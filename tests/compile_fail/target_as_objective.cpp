// SPDX-License-Identifier: MIT
// wrong: evaluate: the second argument must be an objective
#include <hone/hone.hpp>

#include <vector>

double target_as_objective(hone::cpu& cpu, const std::vector<int>& labels, hone::matrix_view<const float> logits) {
#ifdef WRONG
  return hone::evaluate(cpu, hone::classes(labels), logits);
#else
  return hone::evaluate(cpu, hone::cross_entropy(hone::classes(labels)), logits);
#endif
}
