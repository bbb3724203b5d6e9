// SPDX-License-Identifier: MIT
// wrong: evaluate: classes cut over ranks need losses of rows .*; other losses do not compare classes
#include <hone/hone.hpp>

#include <vector>

double class_shard_of_elements(hone::cpu& cpu, hone::matrix_view<const float> logits, std::vector<int> const& labels) {
  const hone::class_shard shard{logits, 0, 8, hone::self()};
#ifdef WRONG
  return hone::evaluate(cpu, hone::binary_cross_entropy(hone::classes(labels)), shard);
#else
  return hone::evaluate(cpu, hone::cross_entropy(hone::classes(labels)), shard);
#endif
}
