// SPDX-License-Identifier: MIT
/// Products of small matrices on CUDA: what a caller's own product is asked for, and hone's kernel where there is none.
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

/// A product that hone asks for: to = left right, each of left and right as it is or transposed. The matrices are
/// row-major, in device memory, and not empty; `to` shares no memory with the others.
template <class A>
struct matrix_product {
  matrix_view<const A> left, right;
  bool left_transposed, right_transposed;
  matrix_view<A> to;

  /// Returns how many numbers each sum has.
  HONE_HD index depth() const noexcept { return left_transposed ? left.rows : left.columns; }
};

/// hone's own product, the default of the verbs that need one: for small matrices, with no library. Every number is a
/// sum in a fixed order, the same bits in every run. In its place may stand any function object that enqueues
/// product(stream, matrix_product) and does not wait.
struct small_product {};

/// What may stand there, for arithmetic in A.
template <class Product, class A>
concept makes_products =
    std::same_as<Product, small_product> || std::invocable<Product const&, cudaStream_t, matrix_product<A> const&>;

namespace on_cuda {

inline constexpr int product_tile = 16;   // rows and columns of the numbers that a block makes at a time
inline constexpr int product_depth = 64;  // terms of their sums that are in shared memory
static_assert(product_tile * product_tile == block_threads);

/// finish(row, column, sum) stores a number of the product, and what follows from it.
template <class A, class Finish>
__global__ void __launch_bounds__(block_threads, 1)
    small_product_kernel(product_side<A> const left, product_side<A> const right, index const depth,
                         divider const tiles_of_columns, Finish const finish) {
  __shared__ A of_left[product_tile][product_depth + 1], of_right[product_tile][product_depth + 1];
  const int i = static_cast<int>(threadIdx.x) / product_tile, j = static_cast<int>(threadIdx.x) % product_tile;
  const index tiles = (left.size + product_tile - 1) / product_tile * tiles_of_columns.by;
  for (index tile = blockIdx.x; tile < tiles; tile += gridDim.x) {
    const index down = tiles_of_columns.quotient(tile);
    const index row = down * product_tile, column = (tile - down * tiles_of_columns.by) * product_tile;
    A sum = 0;
    for (index l = 0; l < depth; l += product_depth) {
      __syncthreads();  // other threads may still read the numbers before
      left.template bring<product_tile, product_depth>(row, l, depth, [&](int r, int k, A x) { of_left[r][k] = x; });
      right.template bring<product_tile, product_depth>(column, l, depth,
                                                        [&](int c, int k, A x) { of_right[c][k] = x; });
      __syncthreads();
      A part = 0;
#pragma unroll 8
      for (int k = 0; k < product_depth; ++k) part += of_left[i][k] * of_right[j][k];
      sum += part;
    }
    if (row + i < left.size && column + j < right.size) finish(row + i, column + j, sum);
  }
}

/// The same for numbers that another product has stored.
template <class A, class Finish>
__global__ void __launch_bounds__(block_threads)
    finish_product_kernel(matrix_view<const A> const of, divider const columns, Finish const finish) {
  for (index k = index(blockIdx.x) * block_threads + threadIdx.x; k < of.rows * columns.by;
       k += index(gridDim.x) * block_threads) {
    const index row = columns.quotient(k), column = k - row * columns.by;
    finish(row, column, of.row(row)[column]);
  }
}

template <class A>
struct store_sum {
  matrix_view<A> to;

  __device__ void operator()(index row, index column, A sum) const { to.row(row)[column] = sum; }
};

/// Enqueues a product and what follows from each of its numbers. `name` is the verb that errors are reported of.
template <class A, class Product, class Finish>
void multiply(cudaStream_t stream, const char* name, Product const& product, matrix_product<A> const& of,
              Finish const& finish) {
  if (of.to.rows == 0 || of.to.columns == 0) return;
  if constexpr (!std::is_same_v<Product, small_product>) {
    if (of.depth() > 0) {
      product(stream, of);
      if constexpr (!std::is_same_v<Finish, store_sum<A>>)
        launch(name, finish_product_kernel<A, Finish>, {blocks_for(of.to.rows * of.to.columns), block_threads}, stream,
               of.to, divider(of.to.columns), finish);
      return;
    }
  }
  const product_side<A> left(of.left, !of.left_transposed), right(of.right, of.right_transposed);
  const divider tiles((of.to.columns + product_tile - 1) / product_tile);
  launch(name, small_product_kernel<A, Finish>,
         {grid_for((of.to.rows + product_tile - 1) / product_tile * tiles.by), block_threads}, stream, left, right,
         of.depth(), tiles, finish);
}

}  // namespace on_cuda
}  // namespace hone::inline HONE_ABI

#include <hone/core/macros_pop.hpp>
