// SPDX-License-Identifier: MIT
/// A job over rows on CUDA, for functions that name no backend.
#pragma once

#include <hone/cuda/run/backend.cuh>
#include <hone/cuda/run/launch.cuh>
#include <hone/cuda/run/launch.hpp>

#include <hone/core/macros_push.hpp>

namespace hone::inline HONE_ABI {

namespace on_cuda {

template <class Body>
__global__ void __launch_bounds__(block_threads) rows_kernel(index rows, Body const body) {
  for (index i = index(blockIdx.x) * block_threads + threadIdx.x; i < rows; i += index(gridDim.x) * block_threads)
    body(i);
}

}  // namespace on_cuda

/// Enqueues body(row) for every row in [0, rows), with one thread per row.
template <class Body>
void for_rows(cuda const& backend, index rows, Body const& body) {
  if (rows == 0) return;
  const on_cuda::device_of_stream device(backend.placed());
  on_cuda::launch("for_rows: rows_kernel", on_cuda::rows_kernel<Body>,
                  {on_cuda::blocks_for(rows), on_cuda::block_threads}, backend.stream(), rows, body);
}

}  // namespace hone::inline HONE_ABI

#include <hone/core/macros_pop.hpp>
