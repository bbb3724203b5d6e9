// SPDX-License-Identifier: MIT
/// Grids with as many blocks as the device runs at once, so that no block waits for another one to end.
#pragma once

#include <hone/cuda/run/launch.cuh>
#include <hone/cuda/run/launch.hpp>
#include <hone/cuda/run/runtime_answers.hpp>

#include <hone/core/macros_push.hpp>

namespace hone::inline HONE_ABI::on_cuda {

inline runtime_answers known_occupancies;

/// Returns how many blocks of a kernel the current device runs at once, at least 1. The runtime is asked at the first
/// call for a kernel, a device and a size of blocks.
inline int resident_blocks(void const* kernel, int threads, int shared_bytes) {
  int device = 0;
  check(cudaGetDevice(&device), "cudaGetDevice");
  return known_occupancies.find(hash_of(kernel, {device, threads, shared_bytes}), [&] {
    int multiprocessors = 0, blocks = 0;
    check(cudaDeviceGetAttribute(&multiprocessors, cudaDevAttrMultiProcessorCount, device), "cudaDeviceGetAttribute");
    check(cudaOccupancyMaxActiveBlocksPerMultiprocessor(&blocks, kernel, threads, std::size_t(shared_bytes)),
          "cudaOccupancyMaxActiveBlocksPerMultiprocessor");
    const int all = multiprocessors * blocks;
    return all < 1 ? 1 : all < max_blocks ? all : max_blocks;
  });
}

/// Returns a grid for `blocks` blocks of work: as many, if the current device runs them at once, and no more than that.
/// A kernel launched so loops over its work. If it adds up, its order must not depend on the grid, see
/// cuda/run/reduce.cuh.
template <class... Parameter>
grid resident_grid(void (*kernel)(Parameter...), index blocks, int threads, int shared_bytes = 0) {
  const int most = resident_blocks(reinterpret_cast<void const*>(kernel), threads, shared_bytes);
  return {blocks < most ? grid_for(blocks) : most, threads, shared_bytes};
}

}  // namespace hone::inline HONE_ABI::on_cuda

#include <hone/core/macros_pop.hpp>
