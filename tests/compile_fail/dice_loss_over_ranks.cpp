// SPDX-License-Identifier: MIT
// wrong: evaluate: a region loss is a function of sums over the pixels of its region, and has no value over ranks
#include <hone/hone.hpp>

#include <vector>

double dice_loss_over_ranks(const std::vector<int>& labels, hone::matrix_view<const float> logits) {
  const hone::cpu cpu;
  const auto how = hone::over_ranks(hone::self(), hone::mean, hone::rank_gradients::averaged);
#ifdef WRONG
  return hone::evaluate(cpu, hone::dice_loss(hone::classes(labels)), logits, how);
#else
  return hone::evaluate(cpu, hone::cross_entropy(hone::classes(labels)), logits, how);
#endif
}
