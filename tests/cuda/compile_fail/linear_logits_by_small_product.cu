// SPDX-License-Identifier: MIT
// wrong: evaluate: the product of linear_logits must be callable with a stream and a hone::linear_product
#include <hone/hone.cuh>

#include <span>

struct own_product {
#ifdef WRONG
  void operator()(cudaStream_t, hone::matrix_product<float> const&) const {}  // of channel attention
#else
  void operator()(cudaStream_t, hone::linear_product<float, float> const&) const {}
#endif
};

void linear_logits_by_small_product(hone::cuda& gpu, std::span<const int> labels, hone::matrix_view<const float> input,
                                    hone::matrix_view<const float> weight) {
  hone::evaluate(gpu, hone::cross_entropy(hone::classes(labels)), hone::linear_logits{input, weight}, {}, hone::mean,
                 own_product());
}
