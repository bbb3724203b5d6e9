// SPDX-License-Identifier: MIT
/// The metrics of pairs of boxes on CUDA: one thread per pair.
#pragma once

#include <hone/cuda/run/backend.cuh>
#include <hone/cuda/run/launch.cuh>
#include <hone/cuda/run/launch.hpp>
#include <hone/cuda/run/resident.cuh>
#include <hone/cuda/simd/device_float.cuh>
#include <hone/loss/box/aligned.hpp>

#include <hone/core/macros_push.hpp>

namespace hone::inline HONE_ABI {

namespace on_cuda {

template <class Format, class Metric, class T>
__global__ void __launch_bounds__(block_threads)
    aligned_kernel(Metric const metric, matrix_view<const T> const a, matrix_view<const T> const b,
                   matrix_view<T> const out) {
  using A = accumulator_t<T>;
  using V = operand_of<A>;
  for (index i = index(blockIdx.x) * block_threads + threadIdx.x; i < a.rows; i += index(gridDim.x) * block_threads) {
    T const *const p = a.data + i * a.row_stride, *const t = b.data + i * b.row_stride;
    V x[4], y[4];
#pragma unroll
    for (int c = 0; c < 4; ++c) x[c] = V(static_cast<A>(p[c])), y[c] = V(static_cast<A>(t[c]));
    const box_pair<V, Format> pair(Format::numbers_of(x), Format::numbers_of(y));
    out.data[i * out.row_stride] = static_cast<T>(static_cast<A>(metric(pair).value));
  }
}

template <class Format, class Metric, class T>
void aligned(cuda const& backend, Metric const& metric, const char* function, matrix_view<const T> a,
             matrix_view<const T> b, matrix_view<T> out) {
  static_assert(element<T>, "aligned: boxes hold float, double, or a 16-bit floating-point type");
  detail::require_aligned(function, a, b, out);
  if (out.rows == 0) return;
  const device_of_stream device(backend.placed());
  const auto kernel = aligned_kernel<Format, Metric, T>;
  launch("aligned: aligned_kernel", kernel, resident_grid(kernel, blocks_for(a.rows), block_threads), backend.stream(),
         metric, a, b, out);
}

}  // namespace on_cuda

/// Implements the functions of loss/box/aligned.hpp on CUDA.
template <class Format, class Metric, class T>
void fill_aligned(cuda const& backend, Metric const& metric, const char* function, matrix_view<const T> a,
                  matrix_view<const T> b, matrix_view<T> out) {
  on_cuda::aligned<Format>(backend, metric, function, a, b, out);
}

}  // namespace hone::inline HONE_ABI

#include <hone/core/macros_pop.hpp>
