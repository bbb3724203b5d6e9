// SPDX-License-Identifier: MIT
// wrong: evaluate: the rank_divisors must have one divisor per term of the objective
#include <hone/hone.hpp>

#include <vector>

double rank_divisors_of_other_terms(const std::vector<int>& labels, hone::matrix_view<const float> logits) {
  const hone::cpu cpu;
  const auto one = hone::cross_entropy(hone::classes(labels));
  const auto divisors = hone::divisors(cpu, one, logits, hone::self());
  const auto how = hone::over_ranks(hone::self(), divisors, hone::rank_gradients::averaged);
#ifdef WRONG
  return hone::evaluate(cpu, one + hone::z_loss(1e-4), logits, how);
#else
  return hone::evaluate(cpu, 2 * one, logits, how);
#endif
}
