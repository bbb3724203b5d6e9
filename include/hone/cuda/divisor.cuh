// SPDX-License-Identifier: MIT
/// What mean divides by, where only the device knows how many rows are ignored.
#pragma once

#include <hone/core/objective.hpp>
#include <hone/core/reduction.hpp>
#include <hone/cuda/reduce.cuh>

namespace hone::on_cuda {

/// The factor of the reduction for one term: known to the host, or left by a kernel that counted.
struct scale_of_leaf {
  double known = 0;
  double const* counted = nullptr;

  __device__ double get() const { return counted ? *counted : known; }
};

/// The factor of mean where each row counts for weight(row) · each.
template <class Weight>
__global__ void __launch_bounds__(block_threads)
    count_kernel(index rows, Weight const weight, double each, double* factor, grid_scratch scratch) {
  double total = 0;
  for (index i = index(blockIdx.x) * block_threads + threadIdx.x; i < rows; i += index(gridDim.x) * block_threads)
    total += weight(i);
  grid_sum(total, scratch, [&](double x) { *factor = detail::factor_of(mean, x * each); });
}

template <class Targets>
struct counts_row {
  Targets targets;

  __device__ double operator()(index i) const { return targets.ignores(i) ? 0 : 1; }
};

}  // namespace hone::on_cuda
