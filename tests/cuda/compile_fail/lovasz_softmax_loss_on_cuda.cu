// SPDX-License-Identifier: MIT
// wrong: evaluate: hone::cuda has no lovasz_softmax_loss yet, hone::cpu has
#include <hone/hone.cuh>

#include <vector>

void lovasz_softmax_loss_on_cuda(hone::cuda& gpu, const std::vector<int>& labels,
                                 hone::matrix_view<const float> logits) {
#ifdef WRONG
  hone::evaluate(gpu, hone::lovasz_softmax_loss(hone::classes(labels)), logits);
#else
  hone::evaluate(gpu, hone::jaccard_loss(hone::classes(labels)), logits);
#endif
}
