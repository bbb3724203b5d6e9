// SPDX-License-Identifier: MIT
/// Blocks of rows of a linear layer and its loss on CUDA: logits, losses, and the gradients of both factors of the
/// product. Blocks follow one another in the stream and add in their order: the same bits in every run.
#pragma once

#include <hone/cuda/memory/linear_product.cuh>
#include <hone/cuda/rows/rows.cuh>
#include <hone/loss/row/leaf_of_rows.hpp>
#include <hone/loss/row/linear_logits.hpp>

#include <algorithm>

#include <hone/core/macros_push.hpp>

namespace hone::inline HONE_ABI::on_cuda {

/// The blocks of a layer: the rows of each, the distance of rows of logits, so that each is aligned, and the memory.
struct linear_plan {
  index rows_at_once, row_stride, blocks;
  std::size_t bytes_of_values, bytes;

  template <class T>
  explicit linear_plan(linear_logits<T> const& z) noexcept {
    constexpr index wide = wide_of<T>, bytes_of_logits = index(128) << 20;
    const index rows = z.input.rows, classes = z.weight.rows;
    rows_at_once = detail::rows_at_once(rows, classes, z.rows_at_once, bytes_of_logits / index(sizeof(T)), 128, 1024);
    row_stride = (classes + wide - 1) / wide * wide;
    blocks = (rows + rows_at_once - 1) / rows_at_once;
    bytes_of_values = aligned_bytes(static_cast<std::size_t>(blocks) * sizeof(accumulator_t<T>));
    bytes = bytes_of_values + static_cast<std::size_t>(rows_at_once * row_stride) * sizeof(T);
  }
};

inline constexpr int bias_rows = 16;  // of a tile that a block of threads writes

/// Writes the bias to every row of logits: a thread writes its column of a tile.
template <class T>
__global__ void __launch_bounds__(block_threads)
    spread_bias_kernel(matrix_view<T> const logits, T const* bias, divider const tiles_of_columns) {
  const index tiles = (logits.rows + bias_rows - 1) / bias_rows * tiles_of_columns.by;
  for (index t = blockIdx.x; t < tiles; t += gridDim.x) {
    const index down = tiles_of_columns.quotient(t), first = down * bias_rows;
    const index column = (t - down * tiles_of_columns.by) * block_threads + threadIdx.x;
    if (column >= logits.columns) continue;
    const T number = bias[column];
#pragma unroll
    for (int i = 0; i < bias_rows; ++i)
      if (first + i < logits.rows) logits.row(first + i)[column] = number;
  }
}

/// Writes, or adds, the sums of columns: a warp reads 32 of them, and 8 warps share the rows.
template <class T>
__global__ void __launch_bounds__(block_threads)
    bias_gradient_kernel(matrix_view<const T> const of, accumulator_t<T>* to, bool const add) {
  using A = accumulator_t<T>;
  constexpr int warps = block_threads / 32;
  __shared__ A of_warp[warps][32];
  const int lane = static_cast<int>(threadIdx.x) % 32, warp = static_cast<int>(threadIdx.x) / 32;
  for (index first = index(blockIdx.x) * 32; first < of.columns; first += index(gridDim.x) * 32) {
    const index column = first + lane;
    A sum = 0;
    if (column < of.columns) {
#pragma unroll 4
      for (index row = warp; row < of.rows; row += warps) sum += static_cast<A>(of.row(row)[column]);
    }
    of_warp[warp][lane] = sum;
    __syncthreads();
    if (warp == 0 && column < of.columns) {
      for (int k = 1; k < warps; ++k) sum += of_warp[k][lane];
      to[column] = add ? to[column] + sum : sum;
    }
    __syncthreads();  // the sums are read before the next ones are written
  }
}

/// Adds the values of all blocks, in one block of threads.
template <class A>
__global__ void __launch_bounds__(block_threads) value_of_blocks_kernel(A const* values, index count, A* to) {
  double total = 0;
  for (index i = threadIdx.x; i < count; i += block_threads) total += static_cast<double>(values[i]);
  total = block_sum(total);
  if (threadIdx.x == 0) *to = detail::narrowed<A>(total);
}

/// Evaluates a block of rows after the other. `memory` has linear_plan's bytes.
template <class Product, class T, class... Leaf>
class linear_blocks {
  using A = accumulator_t<T>;
  using job_type = job<matrix_view<const T>, Leaf...>;

 public:
  linear_blocks(cuda const& backend, Product const& product, linear_logits<T> const& z, linear_outputs<T> const& out,
                linear_plan const& plan)
      : backend_(backend), product_(product), z_(z), out_(out), plan_(plan) {}

  /// Lets the caller's product refuse sizes. Nothing is enqueued yet.
  void check_products() const {
    const block first = block_at(0, nullptr);
    if (first.rows == 0) return;
    check(logits_of(first));
    if (out_.weight_gradient.data) check(weight_gradient_of(first));
    if (out_.input_gradient.data) check(input_gradient_of(first));
  }

  /// `whole` has the leaves of all rows and the factors of the reduction.
  void enqueue(job_type const& whole, std::byte* memory) const {
    A* const values = reinterpret_cast<A*>(memory);
    for (index k = 0; k < plan_.blocks; ++k) {
      const block at = block_at(k, reinterpret_cast<T*>(memory + plan_.bytes_of_values));
      enqueue_logits(at);
      enqueue_losses(whole, at, out_.value ? values + k : nullptr);
      if (out_.bias_gradient.data())
        launch("evaluate: bias_gradient_kernel", bias_gradient_kernel<T>,
               {grid_for((classes() + 31) / 32), block_threads}, backend_.stream(), at.logits,
               out_.bias_gradient.data(), adds(at));
      if (out_.weight_gradient.data) enqueue_product(backend_.stream(), product_, weight_gradient_of(at));
      if (out_.input_gradient.data) enqueue_product(backend_.stream(), product_, input_gradient_of(at));  // the last
    }
    if (out_.value)
      launch("evaluate: value_of_blocks_kernel", value_of_blocks_kernel<A>, {1, block_threads}, backend_.stream(),
             values, plan_.blocks, out_.value);
  }

 private:
  /// Some rows, and their logits, which their gradient replaces.
  struct block {
    index first, rows;
    matrix_view<T> logits;
  };

  index classes() const noexcept { return z_.weight.rows; }
  block block_at(index k, T* logits) const noexcept {
    const index first = k * plan_.rows_at_once, rows = std::min(plan_.rows_at_once, z_.input.rows - first);
    return {first, rows, {logits, rows, classes(), plan_.row_stride}};
  }
  matrix_view<const T> input_of(block const& at) const noexcept {
    return detail::part_of_rows(z_.input, at.first, at.rows);
  }
  /// Whether the gradients of parameters are added to what is there.
  bool adds(block const& at) const noexcept { return out_.accumulate || at.first > 0; }

  linear_product<T, T> logits_of(block const& at) const noexcept {
    return {input_of(at), z_.weight, false, true, at.logits, !z_.bias.empty()};
  }
  linear_product<T, A> weight_gradient_of(block const& at) const noexcept {
    return {at.logits, input_of(at), true, false, out_.weight_gradient, adds(at)};
  }
  linear_product<T, T> input_gradient_of(block const& at) const noexcept {
    return {at.logits, z_.weight, false, false, detail::part_of_rows(out_.input_gradient, at.first, at.rows), false};
  }
  template <class To>
  void check(linear_product<T, To> const& of) const {
    if constexpr (requires { product_.check(backend_.stream(), of); })
      if (of.to.columns > 0 && of.depth() > 0) product_.check(backend_.stream(), of);
  }

  void enqueue_logits(block const& at) const {
    if (!z_.bias.empty()) {
      const divider tiles((classes() + block_threads - 1) / block_threads);
      launch("evaluate: spread_bias_kernel", spread_bias_kernel<T>,
             {grid_for((at.rows + bias_rows - 1) / bias_rows * tiles.by), block_threads}, backend_.stream(), at.logits,
             z_.bias.data(), tiles);
    }
    enqueue_product(backend_.stream(), product_, logits_of(at));
  }
  void enqueue_losses(job_type const& whole, block const& at, A* value) const {
    outputs<T> out;
    if (out_.has_gradient()) out.gradient = at.logits;
    out.unreduced = out_.unreduced ? out_.unreduced + at.first : nullptr;
    out.value = value;
    out.log_sum_exp = out_.log_sum_exp ? out_.log_sum_exp + at.first : nullptr;
    out.predicted = out_.predicted ? out_.predicted + at.first : nullptr;
    whole.leaves.apply([&](Leaf const&... leaf) {
      job_type work{{at.logits, out, detail::list<Leaf...>(detail::leaf_of_rows(leaf, at.first, at.rows)...)},
                    {},
                    whole.scratch,
                    whole.invalid_labels};
      std::copy_n(whole.scales, sizeof...(Leaf), work.scales);
      launch_predictions(backend_, work.prediction, out.predicted);
      launch_rows(backend_, work);
    });
  }

  cuda const& backend_;
  Product const& product_;
  linear_logits<T> const& z_;
  linear_outputs<T> const& out_;
  linear_plan plan_;
};

}  // namespace hone::inline HONE_ABI::on_cuda

#include <hone/core/macros_pop.hpp>
