// SPDX-License-Identifier: MIT
/// The first sweep of region losses on CUDA: sums per class over the rows of each region, and from these the loss and
/// the table that rows or elements read afterwards. Rows are cut into pieces by the shape alone, a block writes the
/// sums of a piece, and these are added in order: the same bits in every run and on every device. What reads a row of
/// logits and its target is a Reader:
///
///   numbers                                sums of a class
///   begin(prediction, leaf, plan, i)       starts row i
///   add(prediction, leaf, plan, c, sums)   adds class c of the row to the sums
#pragma once

#include <hone/core/narrowed.hpp>
#include <hone/cuda/memory/row_place.cuh>
#include <hone/cuda/run/backend.cuh>
#include <hone/cuda/run/barrier.cuh>
#include <hone/cuda/run/launch.cuh>
#include <hone/cuda/run/reduce.cuh>
#include <hone/loss/region/term.hpp>

#include <type_traits>

#include <hone/core/macros_push.hpp>

namespace hone::inline HONE_ABI::on_cuda {

inline constexpr int region_rows = 4;       // of a thread at a time
inline constexpr int region_classes = 128;  // of a block: the sums of each in shared memory, per warp
inline constexpr int region_warps = block_threads / 32;

/// The work of the first sweep: pieces of regions, times tiles of classes.
struct region_plan {
  index regions = 1, rows = 0, rows_per_piece = 1;  // rows: of a region
  int columns = 0, numbers = 3;                     // numbers: sums of a class
  divider tiles{}, pieces{}, pixels{};

  index items() const noexcept { return regions * pieces.by * tiles.by; }
};

/// Returns the regions of a prediction, which are not yet cut into pieces.
template <class View>
region_plan regions_of(View prediction, region_policy const& policy, int numbers) noexcept {
  region_plan plan;
  plan.numbers = numbers;
  plan.rows = detail::rows_of_region(prediction, policy);
  plan.regions = detail::rows_of(prediction) / plan.rows;
  plan.columns = static_cast<int>(detail::columns_of(prediction));
  plan.pixels = pixels_of(prediction);
  return plan;
}

template <class Reader, class View>
region_plan plan_regions(View prediction, region_policy const& policy) noexcept {
  region_plan plan = regions_of(prediction, policy, Reader::numbers);
  // At most 256 pieces in a region, so that their sums, a few per class, stay small beside the prediction.
  constexpr index turn = block_threads * region_rows;
  plan.rows_per_piece = ((plan.rows + 255) / 256 + turn - 1) / turn * turn;
  plan.pieces = divider((plan.rows + plan.rows_per_piece - 1) / plan.rows_per_piece);
  plan.tiles = divider((plan.columns + region_classes - 1) / region_classes);
  return plan;
}

/// What the kernels of a region loss keep in the workspace.
struct region_memory {
  double *scale, *value;   // 1 / the number of regions that count; the mean of their losses
  double *losses, *count;  // per region
  double* sums;            // Σ p q of all classes, then Σ p, then Σ q, and the weights if numbers is 4, per piece
  void* table;             // two numbers per class, per region

  static std::size_t bytes(region_plan const& plan, std::size_t number) noexcept {
    const auto regions = static_cast<std::size_t>(plan.regions), columns = static_cast<std::size_t>(plan.columns);
    return sizeof(double) *
               (2 + 2 * regions + static_cast<std::size_t>(plan.numbers * plan.pieces.by) * columns * regions) +
           (2 * number * regions * columns + sizeof(double) - 1) / sizeof(double) * sizeof(double);
  }
  region_memory(region_plan const& plan, void* memory) noexcept
      : scale(static_cast<double*>(memory)),
        value(scale + 1),
        losses(scale + 2),
        count(losses + plan.regions),
        sums(count + plan.regions),
        table(sums + plan.numbers * plan.columns * plan.regions * plan.pieces.by) {}
};

/// Writes the sums of pieces. A warp adds its rows of a turn, and turns one after the other; then warps are added.
template <class Reader, class View, class Leaf>
__global__ void __launch_bounds__(block_threads)
    region_sums_kernel(View const prediction, Leaf const leaf, region_plan const plan, index items, double* sums) {
  constexpr int numbers = Reader::numbers;
  __shared__ double of_warps[region_warps][numbers][region_classes];
  const int thread = static_cast<int>(threadIdx.x), warp = thread / 32;
  for (index item = blockIdx.x; item < items; item += gridDim.x) {
    const index piece = plan.tiles.quotient(item), region = plan.pieces.quotient(piece);
    const int first = static_cast<int>(item - piece * plan.tiles.by) * region_classes;
    const int left = plan.columns - first, classes = left < region_classes ? left : region_classes;
    const index begin = (piece - region * plan.pieces.by) * plan.rows_per_piece;
    const index full = begin + plan.rows_per_piece, end = full < plan.rows ? full : plan.rows;
    block_barrier();  // other threads may still add up an earlier item
    for (int c = thread % 32; c < classes; c += 32)
      for (int k = 0; k < numbers; ++k) of_warps[warp][k][c] = 0;
    __syncwarp();
    for (index turn = begin; turn < end; turn += block_threads * region_rows) {
      Reader rows[region_rows];
      for (int j = 0; j < region_rows; ++j)
        if (const index i = turn + j * block_threads + thread; i < end)
          rows[j].begin(prediction, leaf, plan, region * plan.rows + i);
      for (int c = 0; c < classes; ++c) {
        double of_thread[numbers] = {};
        for (int j = 0; j < region_rows; ++j) rows[j].add(prediction, leaf, plan, first + c, of_thread);
        for (double& x : of_thread)
          for (int step = 16; step > 0; step /= 2) x += __shfl_down_sync(all_lanes, x, step);
        if (thread % 32 == 0)
          for (int k = 0; k < numbers; ++k) of_warps[warp][k][c] += of_thread[k];
      }
    }
    __syncthreads();
    for (int c = thread; c < classes; c += block_threads)
      for (int k = 0; k < numbers; ++k) {
        double total = 0;
        for (int w = 0; w < region_warps; ++w) total += of_warps[w][k][c];
        sums[(piece * numbers + k) * plan.columns + first + c] = total;
      }
  }
}

/// A block whose threads share the classes of a region.
struct region_team {
  template <class Body>
  __device__ void each(index n, Body const& body) const {
    for (index c = threadIdx.x; c < n; c += block_threads) body(c);
  }
  __device__ double sum(double x) const {
    __shared__ double total;
    x = block_sum(x);
    if (threadIdx.x == 0) total = x;
    __syncthreads();
    return total;  // the next sum begins with a barrier after its first shuffles, before it writes
  }
};

/// Adds up the pieces of each region, and computes its loss and its table.
template <class A, class Region>
__global__ void __launch_bounds__(block_threads, 1)
    region_losses_kernel(Region const region_loss, region_plan const plan, region_memory const memory) {
  const int columns = plan.columns, numbers = plan.numbers;
  for (index r = blockIdx.x; r < plan.regions; r += gridDim.x) {
    double* const sums = memory.sums + r * plan.pieces.by * numbers * columns;
    for (int c = static_cast<int>(threadIdx.x); c < columns; c += block_threads)
      for (index piece = 1; piece < plan.pieces.by; ++piece)
        for (int k = 0; k < numbers; ++k) sums[k * columns + c] += sums[(piece * numbers + k) * columns + c];
    A* const table = static_cast<A*>(memory.table) + r * 2 * columns;
    const auto at = [&](index c) -> detail::class_of_region {
      double const* const s = sums + c;
      return {{s[0], s[columns], s[2 * columns]}, s[(numbers > 3 ? 3 : 1) * columns]};
    };
    const detail::loss_and_count region = detail::loss_of_region(
        region_loss.formula, region_loss.policy, columns, region_team(), at, [&](index c, double u, double v) {
          table[c] = detail::narrowed<A>(u), table[columns + c] = detail::narrowed<A>(v);
        });
    if (threadIdx.x == 0) memory.losses[r] = region.loss, memory.count[r] = region.counts;
  }
}

/// Computes the mean of the losses of the regions that count, and 1 / their number.
template <class Memory>
__global__ void __launch_bounds__(block_threads) region_mean_kernel(index regions, Memory const memory) {
  double total = 0, count = 0;
  for (index r = threadIdx.x; r < regions; r += block_threads) total += memory.losses[r], count += memory.count[r];
  total = block_sum(total), count = block_sum(count);
  if (threadIdx.x == 0) {
    *memory.scale = count > 0 ? 1 / count : 0;
    *memory.value = count > 0 ? total / count : 0;
  }
}

/// Adds factor · the mean of the regions to the value.
template <class A, class Leaf>
__global__ void region_value_kernel(Leaf const leaf, double const* of_regions, A* value) {
  double factor = leaf.factor;
  for (int k = 0; k < Leaf::weight_count; ++k)
    if (leaf.weights[k].is_repeated()) factor *= leaf.weights[k][0];
  if (factor != 0) *value = detail::narrowed<A>(static_cast<double>(*value) + factor * *of_regions);
}

/// Enqueues what computes the loss from the sums of the pieces, and points the table of the leaf's term at the result.
template <class A, class Leaf>
void launch_losses(cuda const& backend, Leaf& leaf, region_plan const& plan, region_memory const& memory) {
  auto& region_loss = detail::region_of(leaf.term);
  using Region = std::remove_cvref_t<decltype(region_loss)>;
  launch("evaluate: region_losses_kernel", region_losses_kernel<A, Region>, {grid_for(plan.regions), block_threads},
         backend.stream(), region_loss, plan, memory);
  launch("evaluate: region_mean_kernel", region_mean_kernel<region_memory>, {1, block_threads}, backend.stream(),
         plan.regions, memory);
  region_loss.table = {memory.table, plan.rows, 2 * index(plan.columns), plan.columns};
}

/// Enqueues the first sweep of a region loss of sums.
template <class Reader, class View, class Leaf>
void launch_regions(cuda const& backend, View prediction, Leaf& leaf, region_plan const& plan,
                    region_memory const& memory) {
  launch("evaluate: region_sums_kernel", region_sums_kernel<Reader, View, Leaf>,
         {grid_for(plan.items()), block_threads}, backend.stream(), prediction, leaf, plan, plan.items(), memory.sums);
  launch_losses<accumulator_t<detail::number_of<View>>>(backend, leaf, plan, memory);
}

}  // namespace hone::inline HONE_ABI::on_cuda

#include <hone/core/macros_pop.hpp>
