// SPDX-License-Identifier: MIT
/// The factors of a product on CUDA, as its sums read them.
#pragma once

#include <hone/core/view.hpp>
#include <hone/cuda/run/launch.hpp>

#include <hone/core/macros_push.hpp>

namespace hone::inline HONE_ABI::on_cuda {

/// One side of a product: number l of sum i is at data + i · outer + l · inner.
template <class T>
struct product_side {
  T const* data;
  index outer, inner, size;

  product_side(matrix_view<const T> v, bool sums_are_rows) noexcept
      : data(v.data),
        outer(sums_are_rows ? v.row_stride : 1),
        inner(sums_are_rows ? 1 : v.row_stride),
        size(sums_are_rows ? v.rows : v.columns) {}

  /// Calls put(i, l, number) for the numbers [from, from + Depth) of the sums [first, first + Size), by all threads of
  /// a block; a number is 0 where there is none.
  template <int Size, int Depth, class Put>
  __device__ void bring(index first, index from, index depth, Put const& put) const {
#pragma unroll 4
    for (int k = static_cast<int>(threadIdx.x); k < Size * Depth; k += block_threads) {
      const int i = inner == 1 ? k / Depth : k % Size;  // neighbours read neighbouring addresses
      const int l = inner == 1 ? k % Depth : k / Size;
      put(i, l, first + i < size && from + l < depth ? data[(first + i) * outer + (from + l) * inner] : T(0.0f));
    }
  }
};

}  // namespace hone::inline HONE_ABI::on_cuda

#include <hone/core/macros_pop.hpp>
