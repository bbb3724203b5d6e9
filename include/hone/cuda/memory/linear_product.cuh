// SPDX-License-Identifier: MIT
/// Products of a linear layer on CUDA: what a caller's own product is asked for, and hone's kernel where there is none.
#pragma once

#include <hone/core/narrowed.hpp>
#include <hone/core/view.hpp>
#include <hone/cuda/memory/product_side.cuh>
#include <hone/cuda/run/backend.cuh>
#include <hone/cuda/run/launch.cuh>
#include <hone/cuda/run/launch.hpp>

#include <concepts>
#include <type_traits>

#include <hone/core/macros_push.hpp>

namespace hone::inline HONE_ABI {

/// A product that evaluate asks for on linear_logits: to = left right, or to += left right, each of left and right as
/// it is or transposed, with sums in accumulator_t<T>. The matrices are row-major, in device memory, and not empty.
/// `to` shares no memory with the others; its type is T, or accumulator_t<T> for gradients of parameters. What is in
/// `to` is read only if it is added to.
template <class T, class To>
struct linear_product {
  matrix_view<const T> left, right;
  bool left_transposed, right_transposed;
  matrix_view<To> to;
  bool add;

  /// Returns how many numbers each sum has.
  HONE_HD index depth() const noexcept { return left_transposed ? left.rows : left.columns; }
};

/// hone's own product, the default of evaluate on linear_logits: with no library and without tensor cores, so a large
/// head takes many times what cuBLAS takes. Every number is a sum in a fixed order, the same bits in every run. In its
/// place may stand hone::cublas_product(gpu, handle), or any function object that enqueues product(stream,
/// linear_product) and does not wait. If it has a member check(stream, linear_product), that is called for the products
/// of the first block, the largest, before anything is enqueued, and may throw.
struct tiled_product {};

/// What may stand there, for layers of T.
template <class Product, class T>
concept makes_linear_products =
    std::same_as<Product, tiled_product> ||
    (std::invocable<Product const&, cudaStream_t, linear_product<T, T> const&> &&
     std::invocable<Product const&, cudaStream_t, linear_product<T, accumulator_t<T>> const&>);

namespace on_cuda {

/// Tiles of 64 × 64 numbers by 256 threads, 4 × 4 each: the columns of a thread are 16 apart, so that neighbours use
/// different banks and write adjacent numbers.
struct tile_of_product {
  static constexpr int size = 64, depth = 32, each = 4, apart = size / each;
  static_assert(apart * apart == block_threads);
};

template <class T, class To>
__global__ void __launch_bounds__(block_threads, sizeof(accumulator_t<T>) == 4 ? 2 : 1)
    tiled_product_kernel(product_side<T> const left, product_side<T> const right, index const depth,
                         divider const tiles_of_columns, matrix_view<To> const to, bool const add) {
  using A = accumulator_t<T>;
  using tile = tile_of_product;
  __shared__ A of_left[tile::depth][tile::size + 1], of_right[tile::depth][tile::size + 1];
  const int down = static_cast<int>(threadIdx.x) / tile::apart, across = static_cast<int>(threadIdx.x) % tile::apart;
  const index tiles = (left.size + tile::size - 1) / tile::size * tiles_of_columns.by;
  for (index t = blockIdx.x; t < tiles; t += gridDim.x) {
    const index tile_row = tiles_of_columns.quotient(t);
    const index row = tile_row * tile::size, column = (t - tile_row * tiles_of_columns.by) * tile::size;
    A sums[tile::each][tile::each] = {};
    for (index l = 0; l < depth; l += tile::depth) {
      __syncthreads();  // other threads may still read the numbers before
      left.template bring<tile::size, tile::depth>(row, l, depth,
                                                   [&](int r, int k, T x) { of_left[k][r] = static_cast<A>(x); });
      right.template bring<tile::size, tile::depth>(column, l, depth,
                                                    [&](int c, int k, T x) { of_right[k][c] = static_cast<A>(x); });
      __syncthreads();
      A part[tile::each][tile::each] = {};  // sums of sums round less
#pragma unroll 4
      for (int k = 0; k < tile::depth; ++k) {
        A a[tile::each], b[tile::each];
#pragma unroll
        for (int i = 0; i < tile::each; ++i)
          a[i] = of_left[k][down + i * tile::apart], b[i] = of_right[k][across + i * tile::apart];
#pragma unroll
        for (int i = 0; i < tile::each; ++i)
#pragma unroll
          for (int j = 0; j < tile::each; ++j) part[i][j] += a[i] * b[j];
      }
#pragma unroll
      for (int i = 0; i < tile::each; ++i)
#pragma unroll
        for (int j = 0; j < tile::each; ++j) sums[i][j] += part[i][j];
    }
#pragma unroll
    for (int i = 0; i < tile::each; ++i)
#pragma unroll
      for (int j = 0; j < tile::each; ++j) {
        const index r = row + down + i * tile::apart, c = column + across + j * tile::apart;
        if (r >= left.size || c >= right.size) continue;
        To& number = to.row(r)[c];
        number = detail::narrowed<To>(add ? static_cast<A>(number) + sums[i][j] : sums[i][j]);
      }
  }
}

/// Enqueues a product; `to` may be empty, and sums of no numbers are 0.
template <class Product, class T, class To>
void enqueue_product(cudaStream_t stream, Product const& product, linear_product<T, To> const& of) {
  if (of.to.rows == 0 || of.to.columns == 0 || (of.add && of.depth() == 0)) return;
  if constexpr (!std::is_same_v<Product, tiled_product>)
    if (of.depth() > 0) return static_cast<void>(product(stream, of));
  const product_side<T> left(of.left, !of.left_transposed), right(of.right, of.right_transposed);
  const auto tiles_for = [](index n) { return (n + tile_of_product::size - 1) / tile_of_product::size; };
  const divider tiles(tiles_for(of.to.columns));
  launch("evaluate: tiled_product_kernel", tiled_product_kernel<T, To>,
         {grid_for(tiles_for(of.to.rows) * tiles.by), block_threads}, stream, left, right, of.depth(), tiles, of.to,
         of.add);
}

}  // namespace on_cuda
}  // namespace hone::inline HONE_ABI

#include <hone/core/macros_pop.hpp>
