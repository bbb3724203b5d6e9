// SPDX-License-Identifier: MIT
/// Fused confidences of detections, on CUDA.
#pragma once

#include <hone/cuda/memory/views.cuh>
#include <hone/cuda/run/backend.cuh>
#include <hone/cuda/run/launch.cuh>
#include <hone/cuda/run/launch.hpp>
#include <hone/cuda/run/resident.cuh>
#include <hone/cuda/simd/device_float.cuh>
#include <hone/detect/fused_confidence.hpp>

#include <type_traits>

#include <hone/core/macros_push.hpp>

namespace hone::inline HONE_ABI {

namespace on_cuda {

template <int N, class T>
__global__ void __launch_bounds__(block_threads)
    fused_confidence_kernel(matrix_view<const T> objectness, matrix_view<const T> iou, matrix_view<T> out,
                            line_cut const lines, fused_confidence_formula const formula) {
  using A = accumulator_t<T>;
  const index pieces = lines.pieces(), step = index(gridDim.x) * block_threads;
  for (index piece = index(blockIdx.x) * block_threads + threadIdx.x; piece < pieces; piece += step) {
    const divider per_line = lines.pieces_per_line;
    const index line = per_line.quotient(piece), from = (piece - line * per_line.by) * N;
    const int count = static_cast<int>(lines.length - from < N ? lines.length - from : N);
    A x[N] = {}, y[N] = {};
    load(objectness.data + line * objectness.row_stride + from, x, count);
    load(iou.data + line * iou.row_stride + from, y, count);
#pragma unroll
    for (int j = 0; j < N; ++j) x[j] = static_cast<A>(formula(operand_of<A>(x[j]), operand_of<A>(y[j])));
    store(x, out.data + line * out.row_stride + from, count);
  }
}

}  // namespace on_cuda

/// Enqueues hone::fused_confidence, as documented for the CPU, as one kernel. All views are of device memory.
template <class T>
void fused_confidence(cuda& backend, matrix_view<T> objectness, std::type_identity_t<matrix_view<const T>> iou,
                      std::type_identity_t<matrix_view<std::remove_const_t<T>>> out,
                      fused_confidence_options options = {}) {
  using number = std::remove_const_t<T>;
  constexpr int N = on_cuda::wide_of<number>;
  const matrix_view<const number> from = objectness;
  detail::require_fused<number>(from, iou, out, options);
  const on_cuda::device_of_stream device(backend.placed());
  const bool one_line = on_cuda::without_gaps(from) && on_cuda::without_gaps(iou) && on_cuda::without_gaps(out);
  const bool wide = on_cuda::lines_aligned<N>(from, one_line) && on_cuda::lines_aligned<N>(iou, one_line) &&
                    on_cuda::lines_aligned<N>(out, one_line);
  const on_cuda::line_cut lines(one_line ? 1 : from.rows, one_line ? from.rows * from.columns : from.columns,
                                wide ? N : 1);
  if (lines.pieces() == 0) return;
  const auto kernel = wide ? on_cuda::fused_confidence_kernel<N, number> : on_cuda::fused_confidence_kernel<1, number>;
  on_cuda::launch("fused_confidence: fused_confidence_kernel", kernel,
                  on_cuda::resident_grid(kernel, on_cuda::blocks_for(lines.pieces()), on_cuda::block_threads),
                  backend.stream(), from, iou, out, lines,
                  fused_confidence_formula(options, std::numeric_limits<accumulator_t<T>>::min()));
}

}  // namespace hone::inline HONE_ABI

#include <hone/core/macros_pop.hpp>
