// SPDX-License-Identifier: MIT
// wrong: evaluate: on hone::cuda the ranks of over_ranks must be a hone::device_communicator
#include <hone/hone.cuh>

#include <span>

#ifdef WRONG
using ranks = hone::self;
#else
using ranks = hone::device_self;
#endif

void evaluate_over_ranks_of_the_host(hone::cuda& gpu, std::span<const int> labels,
                                     hone::matrix_view<const float> logits, float* value) {
  hone::evaluate(gpu, hone::cross_entropy(hone::classes(labels)), logits, {.value = value},
                 hone::over_ranks(ranks(), hone::mean, hone::rank_gradients::averaged));
}
