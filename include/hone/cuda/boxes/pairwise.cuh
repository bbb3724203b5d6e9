// SPDX-License-Identifier: MIT
/// Overlaps of every box of one set with every box of another, on CUDA. A thread holds a few boxes of b and processes
/// some boxes of a one after the other, because the output is much larger than the input.
#pragma once

#include <hone/cuda/memory/vector.cuh>
#include <hone/cuda/run/backend.cuh>
#include <hone/cuda/run/launch.cuh>
#include <hone/cuda/run/launch.hpp>
#include <hone/cuda/run/resident.cuh>
#include <hone/cuda/simd/device_float.cuh>
#include <hone/loss/box/pairwise.hpp>

#include <hone/core/macros_push.hpp>

namespace hone::inline HONE_ABI {

namespace on_cuda {

inline constexpr int boxes_met = 32;  // of a, per thread

/// Returns the numbers of the box in a row, by one access if Wide says that rows are aligned.
template <class Format, bool Wide, class V, class T>
__device__ box<V> numbers_at(matrix_view<T> v, index row) {
  using A = detail::box_arithmetic<T>;
  T* const at = v.data + row * v.row_stride;
  A x[4];
  if constexpr (Wide) {
    load(at, x, 4);
  } else {
#pragma unroll
    for (int c = 0; c < 4; ++c) x[c] = static_cast<A>(at[c]);
  }
  return Format::numbers_of({V(x[0]), V(x[1]), V(x[2]), V(x[3])});
}

/// The cut of the pairs: a piece has N adjacent columns and boxes_met rows.
struct pair_cut {
  divider columns;
  index pieces;
};

template <int N, class Overlap, class Format, class T>
__global__ void __launch_bounds__(block_threads, 1)
    pairwise_kernel(matrix_view<const T> const a, matrix_view<const T> const b,
                    matrix_view<detail::overlap_number<T>> const out, pair_cut const cut) {
  using A = detail::box_arithmetic<T>;
  using V = operand_of<A>;
  for (index i = index(blockIdx.x) * block_threads + threadIdx.x; i < cut.pieces;
       i += index(gridDim.x) * block_threads) {
    const index band = cut.columns.quotient(i), column = (i - band * cut.columns.by) * N, row = band * boxes_met;
    const int count = static_cast<int>(out.columns - column < N ? out.columns - column : N);
    const int rows = static_cast<int>(out.rows - row < boxes_met ? out.rows - row : boxes_met);
    box<V> held[N];
#pragma unroll
    for (int j = 0; j < N; ++j) held[j] = numbers_at<Format, (N > 1), V>(b, column + (j < count ? j : 0));
#pragma unroll 1
    for (int r = 0; r < rows; ++r) {
      const box<V> met = numbers_at<Format, (N > 1), V>(a, row + r);
      A overlap[N];
#pragma unroll
      for (int j = 0; j < N; ++j) overlap[j] = static_cast<A>(Overlap{}(box_pair<V, Format>(met, held[j])));
      store(overlap, out.data + (row + r) * out.row_stride + column, count);
    }
  }
}

template <class Overlap, class Format, class T>
void pairwise(cuda const& backend, const char* function, matrix_view<const T> a, matrix_view<const T> b,
              matrix_view<detail::overlap_number<T>> out) {
  detail::require_pairwise(function, a, b, out);
  if (out.rows == 0 || out.columns == 0) return;
  constexpr int N = wide_of<detail::overlap_number<T>>;
  const auto rows_aligned = [](auto v) { return is_aligned<4>(v.data) && is_aligned<4>(v.data + v.row_stride); };
  const bool wide = rows_aligned(a) && rows_aligned(b) && is_aligned<N>(out.data) &&
                    (out.rows == 1 || is_aligned<N>(out.data + out.row_stride));
  const index columns = wide ? (out.columns + N - 1) / N : out.columns;
  const pair_cut cut{divider(columns), columns * ((out.rows + boxes_met - 1) / boxes_met)};
  const auto kernel = wide ? pairwise_kernel<N, Overlap, Format, T> : pairwise_kernel<1, Overlap, Format, T>;
  const device_of_stream device(backend.placed());
  launch("pairwise: pairwise_kernel", kernel, resident_grid(kernel, blocks_for(cut.pieces), block_threads),
         backend.stream(), a, b, out, cut);
}

}  // namespace on_cuda

/// Implements the functions of loss/box/pairwise.hpp on CUDA.
template <class Overlap, class T, class Format>
void fill_overlaps(cuda const& backend, Overlap const&, const char* function, matrix_view<const T> a,
                   matrix_view<const T> b, matrix_view<detail::overlap_number<T>> out, Format) {
  on_cuda::pairwise<Overlap, Format>(backend, function, a, b, out);
}

}  // namespace hone::inline HONE_ABI

#include <hone/core/macros_pop.hpp>
