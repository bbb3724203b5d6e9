// SPDX-License-Identifier: MIT
/// Sums over a grid, in a fixed order: the same bits in every run. The work is cut into parts; a block takes one, or
/// several in turn, and writes the sum of each to the workspace. The block that finishes last adds them up in their
/// order. If the parts depend on the size of the work alone, the grid does not matter, nor does the device.
#pragma once

#include <hone/cuda/run/backend.cuh>
#include <hone/cuda/run/launch.cuh>
#include <hone/cuda/run/launch.hpp>

#include <cuda_runtime.h>

#include <hone/core/macros_push.hpp>

namespace hone::inline HONE_ABI::on_cuda {

/// The workspace of a sum: the number of finished blocks, which is 0 between kernels, and a number per part.
struct grid_scratch {
  unsigned* done;
  double* partial;

  static constexpr std::size_t bytes = workspace_alignment + sizeof(double) * max_blocks;

  explicit grid_scratch(void* workspace) noexcept
      : done(static_cast<unsigned*>(workspace)),
        partial(reinterpret_cast<double*>(static_cast<char*>(workspace) + workspace_alignment)) {}
};

inline constexpr unsigned all_lanes = 0xffffffff;

/// Returns the sum over the threads of a block of complete warps; valid in its first thread.
__device__ inline double block_sum(double x) {
  __shared__ double of_warp[32];
  const int lane = static_cast<int>(threadIdx.x) % 32, warp = static_cast<int>(threadIdx.x) / 32;
  const int warps = static_cast<int>(blockDim.x) / 32;
  for (int step = 16; step > 0; step /= 2) x += __shfl_down_sync(all_lanes, x, step);
  __syncthreads();  // other threads may still read an earlier sum
  if (lane == 0) of_warp[warp] = x;
  __syncthreads();
  if (warp != 0) return 0;
  x = lane < warps ? of_warp[lane] : 0;
  for (int step = 16; step > 0; step /= 2) x += __shfl_down_sync(all_lanes, x, step);
  return x;
}

/// Adds up over the threads of a block, and keeps it as the sum of a part.
__device__ inline void store_part(double x, int part, grid_scratch scratch) {
  x = block_sum(x);
  if (threadIdx.x == 0) scratch.partial[part] = x;
}

/// Returns whether the block is the last one of its grid to call this, after the writes of its first thread. Its other
/// threads may then read what the first threads of all blocks wrote.
__device__ inline bool is_last_block(unsigned* done) {
  __shared__ bool last;
  if (threadIdx.x == 0) {
    __threadfence();
    last = atomicInc(done, gridDim.x - 1) == gridDim.x - 1;  // the last block resets it to 0
  }
  __syncthreads();
  if (last) __threadfence();
  return last;
}

/// Adds up `parts` parts, after all of them are stored; calls finish(sum) in one thread.
template <class Finish>
__device__ void sum_of_parts(int parts, grid_scratch scratch, Finish const& finish) {
  if (!is_last_block(scratch.done)) return;
  double total = 0;
  for (int i = static_cast<int>(threadIdx.x); i < parts; i += static_cast<int>(blockDim.x))
    total += __ldcg(scratch.partial + i);
  total = block_sum(total);
  if (threadIdx.x == 0) finish(total);
}

/// Sums up over all threads of a grid, of which every block is a part; calls finish(sum) in one thread.
template <class Finish>
__device__ void grid_sum(double x, grid_scratch scratch, Finish const& finish) {
  store_part(x, static_cast<int>(blockIdx.x), scratch);
  sum_of_parts(static_cast<int>(gridDim.x), scratch, finish);
}

}  // namespace hone::inline HONE_ABI::on_cuda

#include <hone/core/macros_pop.hpp>
