// SPDX-License-Identifier: MIT
/// The predictions of a teacher as labels, on CUDA.
#pragma once

#include <hone/cuda/run/backend.cuh>
#include <hone/cuda/run/launch.cuh>
#include <hone/cuda/run/launch.hpp>
#include <hone/cuda/run/reduce.cuh>
#include <hone/distil/hard_labels.hpp>

#include <cmath>

#include <hone/core/macros_push.hpp>

namespace hone::inline HONE_ABI {

namespace on_cuda {

/// One warp per row.
template <class T, class Label>
__global__ void __launch_bounds__(block_threads) hard_labels_kernel(matrix_view<const T> logits, Label* labels) {
  using A = accumulator_t<T>;
  constexpr int warps = block_threads / 32;
  const int lane = static_cast<int>(threadIdx.x) % 32;
  for (index i = index(blockIdx.x) * warps + threadIdx.x / 32; i < logits.rows; i += index(gridDim.x) * warps) {
    detail::best_class<A> best{static_cast<A>(-HUGE_VAL), lane < logits.columns ? lane : 0};
    for (index c = lane; c < logits.columns; c += 32) {
      const A x = static_cast<A>(logits.data[i * logits.row_stride + c]);
      if (x > best.logit) best = {x, c};
    }
    for (int step = 16; step > 0; step /= 2) {
      const detail::best_class<A> other{__shfl_xor_sync(all_lanes, best.logit, step),
                                        __shfl_xor_sync(all_lanes, best.column, step)};
      if (other.better_than(best)) best = other;
    }
    if (lane == 0) labels[i] = static_cast<Label>(best.column);
  }
}

}  // namespace on_cuda

/// Enqueues hone::hard_labels, as documented for the CPU, as one kernel. Logits and labels are in device memory.
template <class T, label_range Labels>
void hard_labels(cuda& backend, matrix_view<T> teacher_logits, Labels&& labels) {
  using number = std::remove_const_t<T>;
  using label = detail::number_in<Labels>;
  detail::require_hard_labels(teacher_logits, labels);
  if (teacher_logits.rows == 0) return;
  const on_cuda::device_of_stream device(backend.placed());
  on_cuda::launch("hard_labels: hard_labels_kernel", on_cuda::hard_labels_kernel<number, label>,
                  {on_cuda::blocks_for(32 * teacher_logits.rows), on_cuda::block_threads}, backend.stream(),
                  matrix_view<const number>(teacher_logits), detail::data_of(labels));
}

}  // namespace hone::inline HONE_ABI

#include <hone/core/macros_pop.hpp>
