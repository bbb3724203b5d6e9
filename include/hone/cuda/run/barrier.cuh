// SPDX-License-Identifier: MIT
/// The barrier at the head of a loop.
#pragma once

#include <cuda_runtime.h>

#include <hone/core/macros_push.hpp>

namespace hone::inline HONE_ABI::on_cuda {

/// All threads of a block meet. For loops in which a lane may skip the rest of a turn: the lanes of its warp may then
/// arrive one after the other, whereas __syncthreads() is for whole warps.
__device__ inline void block_barrier() {
  __syncwarp();
  __syncthreads();
}

}  // namespace hone::inline HONE_ABI::on_cuda

#include <hone/core/macros_pop.hpp>
