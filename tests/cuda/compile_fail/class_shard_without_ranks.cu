// SPDX-License-Identifier: MIT
// wrong: evaluate: the ranks of a class_shard on hone::cuda must be a device_communicator, such as hone::nccl
#include <hone/hone.cuh>

#include <vector>

void class_shard_without_ranks(hone::cuda& gpu, hone::matrix_view<const float> logits, std::vector<int> const& labels) {
#ifdef WRONG
  const hone::self ranks;
#else
  const hone::device_self ranks;
#endif
  hone::evaluate(gpu, hone::cross_entropy(hone::classes(labels)), hone::class_shard{logits, 0, 8, ranks});
}
