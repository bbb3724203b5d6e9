// SPDX-License-Identifier: MIT
/// The first sweep of the Lovász-Softmax loss on CUDA: the errors of all pixels, class by class, in descending order,
/// and the derivatives by position. Sums are added in order: the same bits in every run and on every device.
#pragma once

#include <hone/cuda/regions/region_sums.cuh>
#include <hone/cuda/rows/regions.cuh>
#include <hone/cuda/rows/sorted_pixels.cuh>
#include <hone/loss/region/lovasz.hpp>

#include <hone/core/macros_push.hpp>

namespace hone::inline HONE_ABI::on_cuda {

/// The tiles of a region are its pieces.
template <class View>
region_plan plan_sort(View prediction, region_policy const& policy) noexcept {
  region_plan plan = regions_of(prediction, policy, 4);
  plan.rows_per_piece = sort_tile;
  plan.pieces = divider((plan.rows + sort_tile - 1) / sort_tile);
  plan.tiles = divider(plan.columns);
  return plan;
}

/// Writes the keys and the pixels of all classes, a row per thread.
template <class A, class View, class Leaf>
__global__ void __launch_bounds__(block_threads)
    lovasz_errors_kernel(View const prediction, Leaf const leaf, region_plan const plan, divider rows_of_region,
                         sort_memory<A> const memory) {
  const index rows = plan.regions * plan.rows, step = index(gridDim.x) * block_threads;
  for (index i = index(blockIdx.x) * block_threads + threadIdx.x; i < rows; i += step) {
    const index region = rows_of_region.quotient(i), pixel = i - region * plan.rows;
    region_row<View, Leaf> row;
    row.begin(prediction, leaf, plan, i);
    const bool counts = row.counts();
    for (int c = 0; c < plan.columns; ++c) {
      const index place = (region * plan.columns + c) * plan.rows + pixel;
      unsigned packed = static_cast<unsigned>(pixel);
      A error = 0;
      if (counts) {
        const A p = static_cast<A>(row.probability(prediction, c));
        const bool is_of_class = row.parts.label_at[0] == c;
        error = is_of_class ? A(1) - (p > A(1) ? A(1) : p) : p > A(1) ? A(1) : p;
        if (is_of_class) packed |= sorted_pixel::of_class;
      } else {
        packed |= sorted_pixel::ignored;
      }
      memory.keys[0][place] = key_of(error), memory.pixels[0][place] = packed;
    }
  }
}

/// Counts the pixels of the class and the others in every tile: two numbers per tile, at its digits 0 and 1.
template <class Plan>
__global__ void __launch_bounds__(block_threads)
    lovasz_count_kernel(unsigned const* pixels, Plan const plan, index items, unsigned* counts) {
  for (index item = blockIdx.x; item < items; item += gridDim.x) {
    const sort_part_of_warp part(plan, item);
    double found = 0, others = 0;
    for (index at = part.begin + threadIdx.x % 32; at < part.end; at += 32) {
      const unsigned x = pixels[at];
      if (!(x & sorted_pixel::ignored)) ++(x & sorted_pixel::of_class ? found : others);
    }
    block_barrier();
    found = block_sum(found), others = block_sum(others);
    if (threadIdx.x == 0) {
      counts[item * sort_digits] = static_cast<unsigned>(found);
      counts[item * sort_digits + 1] = static_cast<unsigned>(others);
    }
  }
}

/// Writes the derivatives of all errors to their pixels, and per tile the loss, the pixels of the class, and all
/// pixels.
template <class A, class Slopes>
__global__ void __launch_bounds__(block_threads)
    lovasz_slopes_kernel(sort_key<A> const* keys, unsigned const* pixels, Slopes const slopes, region_plan const plan,
                         index items, unsigned const* counts, double* sums) {
  __shared__ unsigned of_warps[region_warps][2];
  const int thread = static_cast<int>(threadIdx.x), warp = thread / 32, lane = thread % 32;
  for (index item = blockIdx.x; item < items; item += gridDim.x) {
    const sort_part_of_warp part(plan, item);
    unsigned const* const of_segment = counts + part.segment * plan.pieces.by * sort_digits;
    double of_class = 0, found = 0, others = 0;  // of the segment; before this tile
    for (index tile = thread; tile < plan.pieces.by; tile += block_threads) {
      const double here = of_segment[tile * sort_digits], not_here = of_segment[tile * sort_digits + 1];
      of_class += here;
      if (tile < part.tile) found += here, others += not_here;
    }
    __shared__ double shared[3];
    block_barrier();  // other threads may still read an earlier tile's
    of_class = block_sum(of_class), found = block_sum(found), others = block_sum(others);
    if (thread == 0) shared[0] = of_class, shared[1] = found, shared[2] = others;

    unsigned of_part[2] = {};
    const auto lanes_with = [&](index at, bool is_of_class) {
      const unsigned x = at < part.end ? pixels[at] : sorted_pixel::ignored;
      const bool is = !(x & sorted_pixel::ignored) && is_of_class == ((x & sorted_pixel::of_class) != 0);
      return __ballot_sync(all_lanes, is);
    };
    for (index first = part.begin; first < part.end; first += 32)
      for (int k = 0; k < 2; ++k) of_part[k] += static_cast<unsigned>(__popc(lanes_with(first + lane, k == 0)));
    if (lane == 0) of_warps[warp][0] = of_part[0], of_warps[warp][1] = of_part[1];
    __syncthreads();
    of_class = shared[0], found = shared[1], others = shared[2];
    for (int w = 0; w < warp; ++w) found += of_warps[w][0], others += of_warps[w][1];

    const index region = plan.tiles.quotient(part.segment), c = part.segment - region * plan.columns;
    const unsigned lower = (1u << lane) - 1;
    double loss = 0;
    for (index first = part.begin; first < part.end; first += 32) {
      const index at = first + lane;
      const unsigned of = lanes_with(at, true), not_of = lanes_with(at, false);
      if (at < part.end) {
        const unsigned x = pixels[at];
        const bool is_of_class = (x & sorted_pixel::of_class) != 0;
        A slope = 0;
        if (!(x & sorted_pixel::ignored)) {
          const double g =
              lovasz_factor(of_class, found + __popc(of & lower), others + __popc(not_of & lower), is_of_class);
          loss += g * static_cast<double>(error_of(keys[at]));
          slope = static_cast<A>(is_of_class ? -g : g);
        }
        const index row = region * plan.rows + (x & sorted_pixel::place);
        row_at(slopes, place_of(slopes, plan.pixels, row))[c * column_step(slopes)] = slope;
      }
      found += __popc(of), others += __popc(not_of);
    }
    __syncwarp();
    loss = block_sum(loss);
    if (thread == 0) {
      double* const to = sums + (region * plan.pieces.by + part.tile) * 4 * plan.columns + c;
      const double here = of_segment[part.tile * sort_digits], not_here = of_segment[part.tile * sort_digits + 1];
      to[0] = loss, to[plan.columns] = 0, to[2 * plan.columns] = here, to[3 * plan.columns] = here + not_here;
    }
  }
}

/// Views of the derivatives, in the prediction's shape.
template <class A, class T>
matrix_view<A> view_like(matrix_view<T> v, A* data) noexcept {
  return {data, v.rows, v.columns};
}
template <class A, class T>
image_view<A> view_like(image_view<T> v, A* data) noexcept {
  return {data, v.images, v.channels, v.pixels};
}

/// Enqueues the first sweep of a Lovász loss, and points its term at the derivatives and the class numbers.
template <class View, class Leaf>
void launch_sort(cuda const& backend, View prediction, Leaf& leaf, region_plan const& plan, region_memory const& memory,
                 void* lists) {
  using A = accumulator_t<detail::number_of<View>>;
  using Key = sort_key<A>;
  const sort_memory<A> list(plan, lists);
  const index segments = plan.regions * plan.columns, items = segments * plan.pieces.by;
  const auto run = [&](const char* name, auto kernel, int blocks, auto const&... arguments) {
    launch(name, kernel, {blocks, block_threads}, backend.stream(), arguments...);
  };
  run("evaluate: lovasz_errors_kernel", lovasz_errors_kernel<A, View, Leaf>, blocks_for(plan.regions * plan.rows),
      prediction, leaf, plan, divider(plan.rows), list);
  sort_pixels(backend, plan, list);
  const auto slopes = view_like(prediction, reinterpret_cast<A*>(list.keys[1]));  // free again
  Key const* const keys = list.keys[0];
  unsigned const *const pixels = list.pixels[0], *const counts = list.counts;
  run("evaluate: lovasz_count_kernel", lovasz_count_kernel<region_plan>, grid_for(items), pixels, plan, items,
      list.counts);
  run("evaluate: lovasz_slopes_kernel", lovasz_slopes_kernel<A, std::remove_cvref_t<decltype(slopes)>>, grid_for(items),
      keys, pixels, slopes, plan, items, counts, memory.sums);
  leaf.term.slopes = slopes.data;
  launch_losses<A>(backend, leaf, plan, memory);
}

/// Returns the leaf of the rows of a Lovász loss whose first sweep is enqueued, and other leaves as they are.
template <class View, class Leaf>
auto sorted_leaf(View prediction, Leaf const& leaf) {
  if constexpr (detail::sorts_pixels<typename Leaf::term_type>) {
    using A = accumulator_t<detail::number_of<View>>;
    auto const& term = leaf.term;
    const auto slopes = view_like(prediction, static_cast<A const*>(term.slopes));
    row::class_table table = term.table;  // its second number is that of the class
    table.numbers = static_cast<A const*>(table.numbers) + table.of_number;
    using Rows = detail::with_slopes<std::remove_cvref_t<decltype(term.target)>, std::remove_cvref_t<decltype(slopes)>>;
    detail::leaf<Rows, Leaf::weight_count> result{Rows(term.target, slopes, table), leaf.factor};
    for (int k = 0; k < Leaf::weight_count; ++k) result.weights[k] = leaf.weights[k];
    return result;
  } else {
    return leaf;
  }
}

}  // namespace hone::inline HONE_ABI::on_cuda

#include <hone/core/macros_pop.hpp>
