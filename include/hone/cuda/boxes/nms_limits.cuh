// SPDX-License-Identifier: MIT
/// Limits per class and per image, on CUDA. The rows that a class or an image keeps beyond its limit come after all
/// that it keeps within the limit, and would suppress only later rows. So the limits are applied to the result of
/// suppression, by counting.
#pragma once

#include <hone/cuda/boxes/nms_kernels.cuh>
#include <hone/cuda/run/launch.cuh>

#include <hone/core/macros_push.hpp>

namespace hone::inline HONE_ABI::on_cuda {

/// m.taken is ordered by decreasing score. A row's position in its class is the number of rows of the class before it.
template <class A, class Groups>
__global__ void __launch_bounds__(block_threads)
    nms_class_limit_kernel(nms_memory<A> const m, Groups const groups, index limit) {
  const index count = m.taken[0];
  index const* const rows = m.taken + 1;
  for (index i = index(blockIdx.x) * block_threads + threadIdx.x; i < count; i += index(gridDim.x) * block_threads) {
    const index group = groups.of(rows[i]), image = groups.image_of(rows[i]);
    index before = 0;
    for (index j = 0; j < i; ++j) before += groups.of(rows[j]) == group && groups.image_of(rows[j]) == image;
    m.in_class[i] = before < limit;
  }
}

/// The same for its image, among the rows whose class has room.
template <class A, class Groups>
__global__ void __launch_bounds__(block_threads)
    nms_image_limit_kernel(nms_memory<A> const m, Groups const groups, index limit) {
  const index count = m.taken[0];
  index const* const rows = m.taken + 1;
  for (index i = index(blockIdx.x) * block_threads + threadIdx.x; i < count; i += index(gridDim.x) * block_threads) {
    const index image = groups.image_of(rows[i]);
    index before = 0;
    for (index j = 0; j < i; ++j) before += m.in_class[j] && groups.image_of(rows[j]) == image;
    m.in_image[i] = m.in_class[i] && before < limit;
  }
}

/// Writes the remaining rows, by increasing image, then by decreasing score. *kept_count must be 0 before.
template <class A, class Groups>
__global__ void __launch_bounds__(block_threads)
    nms_place_kernel(nms_memory<A> const m, Groups const groups, index* kept, index* kept_count) {
  const index count = m.taken[0];
  index const* const rows = m.taken + 1;
  for (index i = index(blockIdx.x) * block_threads + threadIdx.x; i < count; i += index(gridDim.x) * block_threads) {
    if (!m.in_image[i]) continue;
    const index image = groups.image_of(rows[i]);
    index before = 0, all = 0;
    for (index j = 0; j < count; ++j) {
      if (!m.in_image[j]) continue;
      const index other = groups.image_of(rows[j]);
      before += other < image || (other == image && j < i);
      ++all;
    }
    kept[before] = rows[i];
    if (before == all - 1) *kept_count = all;
  }
}

template <class A, class Groups>
void enqueue_nms_limits(cudaStream_t stream, nms_memory<A> const& m, index boxes, Groups const& groups,
                        nms_options const& options, index* kept, index* count) {
  check(cudaMemsetAsync(count, 0, sizeof *count, stream), "cudaMemsetAsync");
  const grid shape{blocks_for(boxes), block_threads};
  launch("nms: nms_class_limit_kernel", nms_class_limit_kernel<A, Groups>, shape, stream, m, groups,
         options.most_per_class.value);
  launch("nms: nms_image_limit_kernel", nms_image_limit_kernel<A, Groups>, shape, stream, m, groups,
         options.most.value);
  launch("nms: nms_place_kernel", nms_place_kernel<A, Groups>, shape, stream, m, groups, kept, count);
}

}  // namespace hone::inline HONE_ABI::on_cuda

#include <hone/core/macros_pop.hpp>
