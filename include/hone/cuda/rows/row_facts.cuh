// SPDX-License-Identifier: MIT
/// What evaluate tells of rows besides their losses, on CUDA: log-sum-exp, predicted class, counts of rows.
#pragma once

#include <hone/cuda/memory/divisor.cuh>
#include <hone/cuda/memory/row_place.cuh>
#include <hone/cuda/memory/views.cuh>
#include <hone/cuda/run/launch.cuh>
#include <hone/cuda/run/reduce.cuh>
#include <hone/loss/row_facts.hpp>

#include <limits>
#include <type_traits>

#include <hone/core/macros_push.hpp>

namespace hone::inline HONE_ABI::on_cuda {

/// The largest number so far that is not NaN, and the first class that has it.
template <class A>
struct largest_logit {
  static constexpr A minus_infinity{-std::numeric_limits<A>::infinity()}, nan{std::numeric_limits<A>::quiet_NaN()};

  A number;
  int column;

  __device__ void meet(A x, int at) {
    if ((x > number) | ((x == number) & (at < column))) number = x, column = at;
  }
  /// With the numbers of the lanes that differ in one bit of their number.
  __device__ void meet_lane(int bit) {
    const A x = __shfl_xor_sync(all_lanes, number, bit);
    meet(x, __shfl_xor_sync(all_lanes, column, bit));
  }
};

/// Writes the predicted class of every row. `lanes` threads share a row: a power of two up to 32, or all of the block.
/// A kernel of its own, before the one of the losses: within that one it would take registers from every call.
template <class View>
__global__ void __launch_bounds__(block_threads)
    predict_kernel(View const view, divider const pixels, index rows, int columns, int lanes, int* predicted) {
  using A = accumulator_t<detail::number_of<View>>;
  constexpr int warps = block_threads / 32, at_once = 4;
  __shared__ largest_logit<A> of_warp[warps];
  const int thread = static_cast<int>(threadIdx.x), rank = thread & (lanes - 1), rows_at_once = block_threads / lanes;
  const index step = column_step(view);
  for (index first = index(blockIdx.x) * rows_at_once; first < rows; first += index(gridDim.x) * rows_at_once) {
    const index row = first + thread / lanes;
    largest_logit<A> largest{largest_logit<A>::minus_infinity, columns};
    if (row < rows) {
      const auto* const numbers = row_at(view, place_of(view, pixels, row));
      for (int from = rank; from < columns; from += at_once * lanes) {
        A x[at_once];
#pragma unroll
        for (int j = 0; j < at_once; ++j)
          x[j] =
              from + j * lanes < columns ? static_cast<A>(numbers[(from + j * lanes) * step]) : largest_logit<A>::nan;
#pragma unroll
        for (int j = 0; j < at_once; ++j) largest.meet(x[j], from + j * lanes);
      }
    }
    for (int bit = (lanes < 32 ? lanes : 32) / 2; bit > 0; bit /= 2) largest.meet_lane(bit);
    if (lanes > 32) {
      if (thread % 32 == 0) of_warp[thread / 32] = largest;
      __syncthreads();
      if (thread == 0)
        for (int w = 1; w < warps; ++w) largest.meet(of_warp[w].number, of_warp[w].column);
      __syncthreads();  // read before the next row's are written
    }
    if (rank == 0 && row < rows) predicted[row] = largest.column == columns ? 0 : largest.column;  // 0: all are NaN
  }
}

template <class T>
int lanes_of_row(matrix_view<T> v) noexcept {
  if (v.columns > 4096) return block_threads;
  int lanes = 1;
  while (lanes < 32 && lanes * 4 < v.columns) lanes *= 2;
  return lanes;
}
template <class T>
int lanes_of_row(image_view<T>) noexcept {
  return 1;
}

/// Enqueues the predicted classes, before the kernel that replaces the logits by their gradient.
template <class View>
void launch_predictions(cuda const& backend, View prediction, int* predicted) {
  if (!predicted) return;
  const int lanes = lanes_of_row(prediction), rows_at_once = block_threads / lanes;
  const index rows = detail::rows_of(prediction);
  launch("evaluate: predict_kernel", predict_kernel<View>,
         {grid_for((rows + rows_at_once - 1) / rows_at_once), block_threads}, backend.stream(), prediction,
         pixels_of(prediction), rows, static_cast<int>(detail::columns_of(prediction)), lanes, predicted);
}

/// Where the facts of all rows are written; what is not requested is null.
template <class A>
struct row_facts {
  A* log_sum_exp;
  int* predicted;
  index *correct, *counted;
};

/// Writes 0 and -1 to rows that count for nothing, and adds up the others that are counted, and those whose predicted
/// class is their label. The counts are 0 before, and integers: the same in any order.
template <class Test, class A, class... Leaf>
__global__ void __launch_bounds__(block_threads) row_facts_kernel(detail::list<Leaf...> const leaves, Test const test,
                                                                  index rows, index columns, row_facts<A> const to) {
  index correct = 0, counted = 0;
  for (index i = index(blockIdx.x) * block_threads + threadIdx.x; i < rows; i += index(gridDim.x) * block_threads) {
    const bool counts = leaves.apply([&](Leaf const&... leaf) {
      return ((!skips(leaf, leaves, i, columns) && leaf.template factor_of_row<A>(i) != A(0)) || ...);
    });
    if (!counts) {
      if (to.log_sum_exp) to.log_sum_exp[i] = 0;
      if (to.predicted) to.predicted[i] = -1;
    } else if (to.predicted && test.counts(i)) {
      ++counted, correct += test.is_label(i, to.predicted[i]) ? 1 : 0;
    }
  }
  const auto give = [](index of_thread, index* sum) {
    if (!sum) return;
    const double of_block = block_sum(static_cast<double>(of_thread));
    if (threadIdx.x == 0)
      atomicAdd(reinterpret_cast<unsigned long long*>(sum), static_cast<unsigned long long>(of_block));
  };
  give(correct, to.correct);
  give(counted, to.counted);
}

/// Enqueues what is left to do for the facts of rows, after the kernels of predictions and losses.
template <class Outputs, class... Leaf>
void launch_row_facts(cuda const& backend, Outputs const& out, detail::list<Leaf...> const& all, index rows,
                      index columns) {
  using A = std::remove_pointer_t<decltype(out.log_sum_exp)>;
  if (!detail::name_of_row_facts(out)) return;
  const auto clear = [&](index* count) {
    if (count) check(cudaMemsetAsync(count, 0, sizeof(index), backend.stream()), "cudaMemsetAsync");
  };
  clear(out.correct), clear(out.counted);
  const auto test = detail::label_test_of(all, columns);
  launch("evaluate: row_facts_kernel", row_facts_kernel<std::remove_const_t<decltype(test)>, A, Leaf...>,
         {blocks_for(rows), block_threads}, backend.stream(), all, test, rows, columns,
         row_facts<A>{out.log_sum_exp, out.predicted, out.correct, out.counted});
}

}  // namespace hone::inline HONE_ABI::on_cuda

#include <hone/core/macros_pop.hpp>
