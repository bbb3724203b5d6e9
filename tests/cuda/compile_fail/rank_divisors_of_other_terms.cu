// SPDX-License-Identifier: MIT
// wrong: evaluate: the rank_divisors must have one divisor per term of the objective
#include <hone/hone.cuh>

#include <span>

#ifdef WRONG
using divisors = hone::rank_divisors<2>;
#else
using divisors = hone::rank_divisors<1>;
#endif

void rank_divisors_of_other_terms(hone::cuda& gpu, std::span<const int> labels, hone::matrix_view<const float> logits,
                                  float* value) {
  hone::evaluate(gpu, hone::cross_entropy(hone::classes(labels)), logits, {.value = value},
                 hone::over_ranks(hone::device_self(), divisors{}, hone::rank_gradients::averaged));
}
