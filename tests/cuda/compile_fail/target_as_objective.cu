// SPDX-License-Identifier: MIT
// wrong: evaluate: the second argument must be an objective
#include <hone/hone.cuh>

#include <span>

void target_as_objective(hone::cuda& gpu, std::span<const int> labels, hone::matrix_view<const float> logits) {
#ifdef WRONG
  hone::evaluate(gpu, hone::classes(labels), logits, {});
#else
  hone::evaluate(gpu, hone::cross_entropy(hone::classes(labels)), logits, {});
#endif
}
