// SPDX-License-Identifier: MIT
// wrong: evaluate: linear_logits need losses of rows .*; for others compute the logits, and evaluate these
#include <hone/hone.cuh>

#include <span>

void linear_logits_of_elements(hone::cuda& gpu, std::span<const int> labels, hone::matrix_view<const float> input,
                               hone::matrix_view<const float> weight) {
#ifdef WRONG
  const auto loss = hone::binary_cross_entropy(hone::classes(labels));
#else
  const auto loss = hone::cross_entropy(hone::classes(labels));
#endif
  hone::evaluate(gpu, loss, hone::linear_logits{input, weight});
}
