// SPDX-License-Identifier: MIT
/// A stable radix sort of lists of equal length on CUDA: the errors of the pixels of a region, for every class. Only
/// integers are counted by several threads, so equal errors stay in the order of the pixels, in every run.
///
/// The lists are the segments of one array. Their tiles are sorted by 8 bits at a time: a block counts the digits of a
/// tile, a scan over the tiles of a segment turns counts into places, and the block moves its errors there. A warp
/// holds a part of the tile, so that its lanes find the errors of equal digits before theirs.
#pragma once

#include <hone/cuda/regions/region_sums.cuh>

#include <cstdint>
#include <type_traits>

#include <hone/core/macros_push.hpp>

namespace hone::inline HONE_ABI::on_cuda {

inline constexpr int sort_digits = 256, sort_rounds = 16;  // rounds: of a warp in its part of a tile
inline constexpr int sort_part = 32 * sort_rounds, sort_tile = region_warps * sort_part;

/// A pixel of a region in 30 bits, whether it is of the class, and whether it is ignored.
struct sorted_pixel {
  static constexpr unsigned of_class = 1u << 31, ignored = 1u << 30, place = ignored - 1;
};

template <class A>
using sort_key = std::conditional_t<sizeof(A) == 4, std::uint32_t, std::uint64_t>;

/// Returns the bits of an error in [0, 1], inverted, so that keys ascend if errors descend; and the error of a key.
__device__ inline std::uint32_t key_of(float error) { return ~__float_as_uint(error); }
__device__ inline std::uint64_t key_of(double error) {
  return ~static_cast<std::uint64_t>(__double_as_longlong(error));
}
__device__ inline float error_of(std::uint32_t key) { return __uint_as_float(~key); }
__device__ inline double error_of(std::uint64_t key) { return __longlong_as_double(static_cast<long long>(~key)); }

/// The list that is sorted, and its copy; `counts` is of every tile and digit.
template <class A>
struct sort_memory {
  sort_key<A>* keys[2];
  unsigned* pixels[2];
  unsigned* counts;

  static std::size_t bytes(region_plan const& plan) noexcept {
    const auto items = static_cast<std::size_t>(plan.regions * plan.rows * plan.columns);
    const auto tiles = static_cast<std::size_t>(plan.regions * plan.columns * plan.pieces.by);
    const std::size_t all = items * (2 * sizeof(A) + 2 * sizeof(unsigned)) + tiles * sort_digits * sizeof(unsigned);
    return (all + sizeof(double) - 1) / sizeof(double) * sizeof(double);
  }
  sort_memory(region_plan const& plan, void* memory) noexcept {
    const index items = plan.regions * plan.rows * plan.columns;
    keys[0] = static_cast<sort_key<A>*>(memory), keys[1] = keys[0] + items;
    pixels[0] = reinterpret_cast<unsigned*>(keys[1] + items), pixels[1] = pixels[0] + items;
    counts = pixels[1] + items;
  }
};

/// One tile of a segment, and the part of the calling thread's warp.
struct sort_part_of_warp {
  index segment, tile, begin, end;  // begin and end: of the part, in the list

  __device__ sort_part_of_warp(region_plan const& plan, index item)
      : segment(plan.pieces.quotient(item)), tile(item - segment * plan.pieces.by) {
    const index first = tile * sort_tile + index(threadIdx.x) / 32 * sort_part;
    const index last = first + sort_part < plan.rows ? first + sort_part : plan.rows;
    begin = segment * plan.rows + first, end = segment * plan.rows + last;  // begin > end: the warp has none
  }
};

/// Returns the lanes of the warp that hold the same digit, which is below 2 · sort_digits.
__device__ inline unsigned lanes_of(unsigned digit) {
  unsigned same = all_lanes;
#pragma unroll
  for (int bit = 0; bit < 9; ++bit) {
    const bool one = (digit >> bit & 1) != 0;
    const unsigned ones = __ballot_sync(all_lanes, one);
    same &= one ? ones : ~ones;
  }
  return same;
}

/// Calls body(key, i, n) for all errors of the warp's part, in rounds: n is `count` of the error's digit, plus the
/// number of errors of this digit before it in the part. Then adds these to `count`.
template <class Key, class Body>
__device__ void each_round(Key const* keys, sort_part_of_warp const& part, int shift, unsigned* count,
                           Body const& body) {
  const int lane = static_cast<int>(threadIdx.x) % 32;
  for (index first = part.begin; first < part.end; first += 32) {
    const index at = first + lane;
    const bool there = at < part.end;
    const Key key = there ? keys[at] : Key(0);
    const unsigned digit = there ? static_cast<unsigned>(key >> shift) & (sort_digits - 1) : sort_digits;
    const unsigned same = lanes_of(digit);
    const auto before = static_cast<unsigned>(__popc(same & ((1u << lane) - 1)));
    const unsigned so_far = there ? count[digit] : 0;
    if (there) body(key, at, so_far + before);
    __syncwarp();
    if (there && before == 0) count[digit] = so_far + static_cast<unsigned>(__popc(same));
    __syncwarp();
  }
}

template <class Key>
__global__ void __launch_bounds__(block_threads)
    sort_count_kernel(Key const* keys, region_plan const plan, int shift, index items, unsigned* counts) {
  __shared__ unsigned of_warps[region_warps][sort_digits];
  const int thread = static_cast<int>(threadIdx.x);
  for (index item = blockIdx.x; item < items; item += gridDim.x) {
    block_barrier();  // other threads may still add up an earlier tile
    for (int w = 0; w < region_warps; ++w) of_warps[w][thread] = 0;
    __syncthreads();
    each_round(keys, sort_part_of_warp(plan, item), shift, of_warps[thread / 32], [](Key, index, unsigned) {});
    __syncthreads();
    unsigned total = 0;
    for (int w = 0; w < region_warps; ++w) total += of_warps[w][thread];
    counts[item * sort_digits + thread] = total;
  }
}

/// Replaces the counts of every segment by the place of the first error of a digit and tile, in the segment.
template <class Plan>
__global__ void __launch_bounds__(block_threads) sort_places_kernel(Plan const plan, index segments, unsigned* counts) {
  __shared__ unsigned totals[sort_digits];
  const int digit = static_cast<int>(threadIdx.x);
  for (index segment = blockIdx.x; segment < segments; segment += gridDim.x) {
    unsigned* const of_segment = counts + segment * plan.pieces.by * sort_digits + digit;
    unsigned total = 0;
    for (index tile = 0; tile < plan.pieces.by; ++tile) total += of_segment[tile * sort_digits];
    block_barrier();  // other threads may still read an earlier segment's
    totals[digit] = total;
    __syncthreads();
    unsigned place = 0;
    for (int d = 0; d < digit; ++d) place += totals[d];
    for (index tile = 0; tile < plan.pieces.by; ++tile) {
      const unsigned count = of_segment[tile * sort_digits];
      of_segment[tile * sort_digits] = place;
      place += count;
    }
  }
}

template <class Key>
__global__ void __launch_bounds__(block_threads)
    sort_move_kernel(Key const* keys, unsigned const* pixels, Key* to_keys, unsigned* to_pixels, region_plan const plan,
                     int shift, index items, unsigned const* places) {
  __shared__ unsigned of_warps[region_warps][sort_digits];
  const int thread = static_cast<int>(threadIdx.x);
  for (index item = blockIdx.x; item < items; item += gridDim.x) {
    const sort_part_of_warp part(plan, item);
    block_barrier();  // other threads may still move an earlier tile
    for (int w = 0; w < region_warps; ++w) of_warps[w][thread] = 0;
    __syncthreads();
    each_round(keys, part, shift, of_warps[thread / 32], [](Key, index, unsigned) {});
    __syncthreads();
    unsigned place = places[item * sort_digits + thread];
    for (int w = 0; w < region_warps; ++w) {
      const unsigned count = of_warps[w][thread];
      of_warps[w][thread] = place;
      place += count;
    }
    __syncthreads();
    const index first = part.segment * plan.rows;
    each_round(keys, part, shift, of_warps[thread / 32],
               [&](Key key, index at, unsigned to) { to_keys[first + to] = key, to_pixels[first + to] = pixels[at]; });
  }
}

/// Enqueues the sort. The number of digits is even, so the sorted list is where it was, and its copy is free.
template <class A>
void sort_pixels(cuda const& backend, region_plan const& plan, sort_memory<A> const& list) {
  using Key = sort_key<A>;
  const index segments = plan.regions * plan.columns, items = segments * plan.pieces.by;
  const auto run = [&](const char* name, auto kernel, int blocks, auto const&... arguments) {
    launch(name, kernel, {blocks, block_threads}, backend.stream(), arguments...);
  };
  int from = 0;
  for (int shift = 0; shift < int(sizeof(Key)) * 8; shift += 8, from = 1 - from) {
    Key const* const keys = list.keys[from];
    unsigned const *const pixels = list.pixels[from], *const places = list.counts;
    run("evaluate: sort_count_kernel", sort_count_kernel<Key>, grid_for(items), keys, plan, shift, items, list.counts);
    run("evaluate: sort_places_kernel", sort_places_kernel<region_plan>, grid_for(segments), plan, segments,
        list.counts);
    run("evaluate: sort_move_kernel", sort_move_kernel<Key>, grid_for(items), keys, pixels, list.keys[1 - from],
        list.pixels[1 - from], plan, shift, items, places);
  }
}

}  // namespace hone::inline HONE_ABI::on_cuda

#include <hone/core/macros_pop.hpp>
