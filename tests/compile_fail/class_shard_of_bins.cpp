// SPDX-License-Identifier: MIT
// wrong: evaluate: a term that reads the numbers of its classes cannot have its classes cut over ranks
#include <hone/hone.hpp>

#include <vector>

double class_shard_of_bins(hone::cpu& cpu, hone::matrix_view<const float> logits, std::vector<float> const& values) {
  const hone::class_shard shard{logits, 0, 8, hone::self()};
#ifdef WRONG
  return hone::evaluate(cpu, hone::expected_bin(), shard);
#else
  return hone::evaluate(cpu, hone::cross_entropy(hone::two_hot(values)), shard);
#endif
}
