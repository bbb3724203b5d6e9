// SPDX-License-Identifier: MIT
/// The barrier at the start of a loop.
#pragma once

#include <cuda_runtime.h>

#include <hone/core/macros_push.hpp>

namespace hone::inline HONE_ABI::on_cuda {

/// Waits for all threads of a block. For loops in which a lane may skip a part of an iteration: the lanes of a warp may
/// then arrive one after the other, but __syncthreads() requires complete warps.
__device__ inline void block_barrier() {
  __syncwarp();
  __syncthreads();
}

}  // namespace hone::inline HONE_ABI::on_cuda

#include <hone/core/macros_pop.hpp>
