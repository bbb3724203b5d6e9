// SPDX-License-Identifier: MIT
// wrong: evaluate: a region loss is a function of sums over the pixels of its region, and has no value over ranks
#include <hone/hone.cuh>

#include <span>

void dice_loss_over_ranks(hone::cuda& gpu, std::span<const int> labels, hone::matrix_view<const float> logits,
                          float* value) {
  const auto how = hone::over_ranks(hone::device_self(), hone::mean, hone::rank_gradients::averaged);
#ifdef WRONG
  hone::evaluate(gpu, hone::dice_loss(hone::classes(labels)), logits, {.value = value}, how);
#else
  hone::evaluate(gpu, hone::cross_entropy(hone::classes(labels)), logits, {.value = value}, how);
#endif
}
