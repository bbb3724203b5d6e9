// SPDX-License-Identifier: MIT
// wrong: evaluate: the ranks of a class_shard must be a communicator, such as hone::mpi or hone::thread_rank
#include <hone/hone.hpp>

#include <vector>

double class_shard_without_ranks(hone::cpu& cpu, hone::matrix_view<const float> logits,
                                 std::vector<int> const& labels) {
#ifdef WRONG
  const int ranks = 2;
#else
  const hone::self ranks;
#endif
  return hone::evaluate(cpu, hone::cross_entropy(hone::classes(labels)), hone::class_shard{logits, 0, 8, ranks});
}
