// SPDX-License-Identifier: MIT
/// The first sweep of region losses on CUDA: sums per class over the rows of each region, and from these the loss and
/// the table that the rows read afterwards. Rows are cut into pieces by the shape alone, a block writes the sums of a
/// piece, and these are added in order: the same bits in every run and on every device.
#pragma once

#include <hone/core/narrowed.hpp>
#include <hone/cuda/rows/registers.cuh>
#include <hone/cuda/rows/rows.cuh>
#include <hone/loss/region/term.hpp>

#include <hone/core/macros_push.hpp>

namespace hone::inline HONE_ABI::on_cuda {

inline constexpr int region_rows = 4;       // of a thread at a time
inline constexpr int region_classes = 128;  // of a block: three sums of each in shared memory, per warp
inline constexpr int region_warps = block_threads / 32;

/// The work of the first sweep: pieces of regions, times tiles of classes.
struct region_plan {
  index regions = 1, rows = 0, rows_per_piece = 1;  // rows: of a region
  int columns = 0;
  divider tiles{}, pieces{}, pixels{};

  index items() const noexcept { return regions * pieces.by * tiles.by; }
};

template <class T>
divider pixels_of(matrix_view<T>) noexcept {
  return {};
}
template <class T>
divider pixels_of(image_view<T> v) noexcept {
  return divider(v.pixels);
}

template <class View>
region_plan plan_regions(View prediction, region_policy const& policy) noexcept {
  region_plan plan;
  plan.rows = detail::rows_of_region(prediction, policy);
  plan.regions = detail::rows_of(prediction) / plan.rows;
  plan.columns = static_cast<int>(detail::columns_of(prediction));
  // At most 256 pieces in a region, so that their sums, three per class, stay small beside the prediction.
  constexpr index turn = block_threads * region_rows;
  plan.rows_per_piece = ((plan.rows + 255) / 256 + turn - 1) / turn * turn;
  plan.pieces = divider((plan.rows + plan.rows_per_piece - 1) / plan.rows_per_piece);
  plan.tiles = divider((plan.columns + region_classes - 1) / region_classes);
  plan.pixels = pixels_of(prediction);
  return plan;
}

/// What the kernels of a region loss keep in the workspace.
struct region_memory {
  double *scale, *value;   // 1 / the number of regions that count; the mean of their losses
  double *losses, *count;  // per region
  double* sums;            // Σ p q of all classes, then Σ p, then Σ q, per piece
  void* table;             // two numbers per class, per region

  static std::size_t bytes(region_plan const& plan, std::size_t number) noexcept {
    const auto regions = static_cast<std::size_t>(plan.regions), columns = static_cast<std::size_t>(plan.columns);
    return sizeof(double) * (2 + 2 * regions + 3 * columns * regions * std::size_t(plan.pieces.by)) +
           (2 * number * regions * columns + sizeof(double) - 1) / sizeof(double) * sizeof(double);
  }
  region_memory(region_plan const& plan, void* memory) noexcept
      : scale(static_cast<double*>(memory)),
        value(scale + 1),
        losses(scale + 2),
        count(losses + plan.regions),
        sums(count + plan.regions),
        table(sums + 3 * plan.columns * plan.regions * plan.pieces.by) {}
};

/// One row in the first sweep: its softmax and its target.
template <class View, class Leaf>
struct region_row {
  using T = detail::number_of<View>;
  using A = operand_of<accumulator_t<T>>;
  using Target = detail::target_of_term<typename Leaf::term_type>;

  T const* logits = nullptr;
  index row = 0;
  A max = 0, inverse = 0, weight = 0;  // weight: 0 if the row does not count
  detail::row_parts<A, Target, int> parts;

  __device__ void begin(View prediction, Leaf const& leaf, region_plan const& plan, index i) {
    double w = row_counts(leaf.term.target, i, plan.columns) ? 1 : 0;
    for (int k = 0; k < Leaf::weight_count; ++k)
      if (!leaf.weights[k].is_repeated()) w *= leaf.weights[k][i];
    weight = static_cast<A>(w);
    if (w == 0) return;
    row = i, logits = row_at(prediction, place_of(prediction, plan.pixels, i));
    parts = detail::row_parts<A, Target, int>(leaf.term.target, i, plan.columns);
    const index step = column_step(prediction);
    max = A(lowest_number<number_of_operand<A>>);
    A allowed = 0;
    for (int c = 0; c < plan.columns; ++c) {
      const A z = static_cast<A>(logits[c * step]);
      max = larger()(max, z);
      if constexpr (allowed_target<Target>) allowed += is_allowed(z) ? A(1) : A(0);
    }
    A total = 0, part = 0;
    for (int c = 0; c < plan.columns; ++c) {
      part += exp_of_nonpositive(static_cast<A>(logits[c * step]) - max);
      if (c % 64 == 63) total += part, part = A(0);
    }
    inverse = A(1) / (total + part);
    if constexpr (allowed_target<Target>) parts.ground = allowed == A(0) ? A(0) : parts.ground / allowed;
  }
  /// Adds p q, p and q of class c, or q² and p², to the sums.
  __device__ void add(View prediction, Leaf const& leaf, region_plan const& plan, int c, double (&sums)[3]) const {
    if (weight == A(0)) return;
    const A z = static_cast<A>(logits[c * column_step(prediction)]);
    const A p = exp_of_nonpositive(z - max) * inverse;
    A q = parts.ground;
    if constexpr (allowed_target<Target>)
      if (!is_allowed(z)) q = A(0);
    int k = 0;
    leaf.term.target.dense_views().each([&](auto const& view) {
      q += parts.dense_at[k++] * static_cast<A>(row_at(view, place_of(view, plan.pixels, row))[c * column_step(view)]);
    });
#pragma unroll
    for (int j = 0; j < Target::labels; ++j) q += c == parts.label_at[j] ? parts.weight_at[j] : A(0);
    const bool squared = leaf.term.policy.squared;
    sums[0] += static_cast<double>(weight * (p * q));
    sums[1] += static_cast<double>(weight * (squared ? p * p : p));
    sums[2] += static_cast<double>(weight * (squared ? q * q : q));
  }
};

/// Writes the sums of pieces. A warp adds its rows of a turn, and turns one after the other; then warps are added.
template <class View, class Leaf>
__global__ void __launch_bounds__(block_threads)
    region_sums_kernel(View const prediction, Leaf const leaf, region_plan const plan, index items, double* sums) {
  __shared__ double of_warps[region_warps][3][region_classes];
  const int thread = static_cast<int>(threadIdx.x), warp = thread / 32;
  for (index item = blockIdx.x; item < items; item += gridDim.x) {
    const index piece = plan.tiles.quotient(item), region = plan.pieces.quotient(piece);
    const int first = static_cast<int>(item - piece * plan.tiles.by) * region_classes;
    const int left = plan.columns - first, classes = left < region_classes ? left : region_classes;
    const index begin = (piece - region * plan.pieces.by) * plan.rows_per_piece;
    const index full = begin + plan.rows_per_piece, end = full < plan.rows ? full : plan.rows;
    block_barrier();  // other threads may still add up an earlier item
    for (int c = thread % 32; c < classes; c += 32)
      for (int k = 0; k < 3; ++k) of_warps[warp][k][c] = 0;
    __syncwarp();
    for (index turn = begin; turn < end; turn += block_threads * region_rows) {
      region_row<View, Leaf> rows[region_rows];
      for (int j = 0; j < region_rows; ++j)
        if (const index i = turn + j * block_threads + thread; i < end)
          rows[j].begin(prediction, leaf, plan, region * plan.rows + i);
      for (int c = 0; c < classes; ++c) {
        double of_thread[3] = {};
        for (int j = 0; j < region_rows; ++j) rows[j].add(prediction, leaf, plan, first + c, of_thread);
        for (double& x : of_thread)
          for (int step = 16; step > 0; step /= 2) x += __shfl_down_sync(all_lanes, x, step);
        if (thread % 32 == 0)
          for (int k = 0; k < 3; ++k) of_warps[warp][k][c] += of_thread[k];
      }
    }
    __syncthreads();
    for (int c = thread; c < classes; c += block_threads)
      for (int k = 0; k < 3; ++k) {
        double total = 0;
        for (int w = 0; w < region_warps; ++w) total += of_warps[w][k][c];
        sums[(piece * 3 + k) * plan.columns + first + c] = total;
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
template <class A, class Term>
__global__ void __launch_bounds__(block_threads)
    region_losses_kernel(Term const term, region_plan const plan, region_memory const memory) {
  const int columns = plan.columns;
  for (index r = blockIdx.x; r < plan.regions; r += gridDim.x) {
    double* const sums = memory.sums + r * plan.pieces.by * 3 * columns;
    for (int c = static_cast<int>(threadIdx.x); c < columns; c += block_threads)
      for (index piece = 1; piece < plan.pieces.by; ++piece)
        for (int k = 0; k < 3; ++k) sums[k * columns + c] += sums[(piece * 3 + k) * columns + c];
    A* const table = static_cast<A*>(memory.table) + r * 2 * columns;
    const auto at = [&](index c) { return region_sums<double>{sums[c], sums[columns + c], sums[2 * columns + c]}; };
    const detail::loss_and_count region =
        detail::loss_of_region(term, columns, region_team(), at, [&](index c, double u, double v) {
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

/// Enqueues the first sweep of a region loss, and points the table of its term at the result.
template <class View, class Leaf>
void launch_regions(cuda const& backend, View prediction, Leaf& leaf, region_plan const& plan,
                    region_memory const& memory) {
  using A = accumulator_t<detail::number_of<View>>;
  using Term = typename Leaf::term_type;
  const cudaStream_t stream = backend.stream();
  launch("evaluate: region_sums_kernel", region_sums_kernel<View, Leaf>, {grid_for(plan.items()), block_threads},
         stream, prediction, leaf, plan, plan.items(), memory.sums);
  launch("evaluate: region_losses_kernel", region_losses_kernel<A, Term>, {grid_for(plan.regions), block_threads},
         stream, leaf.term, plan, memory);
  launch("evaluate: region_mean_kernel", region_mean_kernel<region_memory>, {1, block_threads}, stream, plan.regions,
         memory);
  leaf.term.table = {memory.table, plan.rows, 2 * index(plan.columns), plan.columns};
}

}  // namespace hone::inline HONE_ABI::on_cuda

#include <hone/core/macros_pop.hpp>
