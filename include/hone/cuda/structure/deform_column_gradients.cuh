// SPDX-License-Identifier: MIT
/// The gradients of the columns of some images, and those by offsets, mask and input that follow from them, on CUDA.
/// Nothing is scattered: a block gathers what the taps add to a tile of the input, in the order of the taps.
#pragma once

#include <hone/core/narrowed.hpp>
#include <hone/cuda/structure/deform_taps.cuh>

#include <hone/core/macros_push.hpp>

namespace hone::inline HONE_ABI::on_cuda {

/// A range of images, and the gradients of their columns: number tap · channels + c of pixel p of image first + i is at
/// columns + (i · pixels + p) · taps · channels.
template <class A>
struct deform_round {
  index first, images;
  A* columns;

  template <class Shape>
  __device__ A const* of_tap(Shape const& s, index n, index pixel, index tap) const {
    return columns + (((n - first) * s.out_pixels() + pixel) * s.taps() + tap) * s.channels;
  }
};

/// The cut of the columns: tiles of pixels of all images of the round, and of the channels of a group, per tap.
struct deform_column_cut {
  divider pixel_tiles, channel_tiles;
  index tiles;

  deform_column_cut(detail::deform_shape const& s, index images) noexcept
      : pixel_tiles((images * s.out_pixels() + pixel_tile - 1) / pixel_tile),
        channel_tiles((s.group_channels() + channel_tile - 1) / channel_tile),
        tiles(pixel_tiles.by * channel_tiles.by * s.taps() * s.groups()) {}
};

template <class T>
__global__ void __launch_bounds__(block_threads, 1)
    deform_columns_kernel(deform_job<T> const job, feature_view<const T> const gradient,
                          deform_round<accumulator_t<T>> const round, deform_column_cut const cut) {
  using A = accumulator_t<T>;
  constexpr int pixels_per_thread = pixel_tile / warps_of_block;
  __shared__ A gradients[depth_tile][pixel_tile], weights[depth_tile][channel_tile];
  detail::deform_shape const& s = job.s;
  const int thread = int(threadIdx.x), lane = thread % 32, warp = thread / 32;
  const index pixels = round.images * s.out_pixels();
  for (index b = blockIdx.x; b < cut.tiles; b += gridDim.x) {
    const index rest = cut.pixel_tiles.quotient(b), first_pixel = (b - rest * cut.pixel_tiles.by) * pixel_tile;
    const index of_channels = job.taps.quotient(rest), tap = rest - of_channels * s.taps();
    const index group = cut.channel_tiles.quotient(of_channels);
    const index channel = (of_channels - group * cut.channel_tiles.by) * channel_tile + lane;
    const index read = first_pixel + thread % pixel_tile, n = job.out_pixels.quotient(read);
    A sums[pixels_per_thread] = {};
    for (index o = 0; o < s.group_outputs(); o += depth_tile) {
      block_barrier();  // other threads may still read the tiles before
      for (int k = thread / pixel_tile; k < depth_tile; k += block_threads / pixel_tile)
        gradients[k][thread % pixel_tile] =
            read < pixels && o + k < s.group_outputs()
                ? static_cast<A>(
                      gradient.plane(round.first + n, group * s.group_outputs() + o + k)[read - n * s.out_pixels()])
                : A(0);
      for (int k = warp; k < depth_tile; k += warps_of_block)
        weights[k][lane] = o + k < s.group_outputs() && channel < s.group_channels()
                               ? static_cast<A>(job.from.weight.plane(group * s.group_outputs() + o + k, channel)[tap])
                               : A(0);
      block_barrier();  // the tiles are complete
#pragma unroll 4
      for (int k = 0; k < depth_tile; ++k) {
        const A w = weights[k][lane];
#pragma unroll
        for (int i = 0; i < pixels_per_thread; ++i) sums[i] += w * gradients[k][warp * pixels_per_thread + i];
      }
    }
#pragma unroll
    for (int i = 0; i < pixels_per_thread; ++i) {
      const index p = first_pixel + warp * pixels_per_thread + i;
      if (p < pixels && channel < s.group_channels())
        round.columns[(p * s.taps() + tap) * s.channels + group * s.group_channels() + channel] = sums[i];
    }
  }
}

/// A thread computes the derivatives of one tap of one pixel by its offset and its mask.
template <class T>
__global__ void __launch_bounds__(block_threads, 1)
    deform_offsets_kernel(deform_job<T> const job, deform_round<accumulator_t<T>> const round,
                          accumulator_t<T>* const to_offsets, accumulator_t<T>* const to_mask) {
  using A = accumulator_t<T>;
  detail::deform_shape const& s = job.s;
  const index count = round.images * s.offset_groups() * s.taps() * s.out_pixels();
  for (index i = index(blockIdx.x) * block_threads + threadIdx.x; i < count; i += index(gridDim.x) * block_threads) {
    const index plane = job.out_pixels.quotient(i), pixel = i - plane * s.out_pixels();
    const index groups = job.taps.quotient(plane), tap = plane - groups * s.taps();
    const index in_round = job.offset_groups.quotient(groups), offset_group = groups - in_round * s.offset_groups();
    const index n = round.first + in_round, first = offset_group * s.offset_channels();
    const device_tap<A> own = read_tap(job, n, offset_group, tap, pixel);
    A const* const g = round.of_tap(s, n, pixel, tap) + first;
    detail::tap_corners<A> sums{};
    for (index c = 0; c < s.offset_channels(); ++c) {
      const auto pixels = corners_at(job.from.input.plane(n, first + c), own.at, s.height, s.width);
#pragma unroll
      for (int k = 0; k < 4; ++k) sums.at[k] += g[c] * pixels.at[k];
    }
    const auto value = detail::tap_of(sums, own.at.y, own.at.x);
    const index to = (n * s.offset_groups() + offset_group) * s.taps() + tap;
    if (to_offsets) {
      to_offsets[2 * to * s.out_pixels() + pixel] = own.mask * value.by_y;
      to_offsets[(2 * to + 1) * s.out_pixels() + pixel] = own.mask * value.by_x;
    }
    if (to_mask) to_mask[to * s.out_pixels() + pixel] = value.value;
  }
}

/// The rows of the input that a batch of 256 taps of an offset group of an image reads, or none.
struct row_range {
  index first, last;
};
inline constexpr int input_tile = 8;  // rows and columns of the input of a block; a row per warp

/// The cut of the input: tiles of pixels, and of the channels of an offset group.
struct deform_input_cut {
  divider tile_columns, tile_rows, channel_tiles;
  index batches, tiles;

  deform_input_cut(detail::deform_shape const& s, index images) noexcept
      : tile_columns((s.width + input_tile - 1) / input_tile),
        tile_rows((s.height + input_tile - 1) / input_tile),
        channel_tiles((s.offset_channels() + channel_tile - 1) / channel_tile),
        batches((s.taps() * s.out_pixels() + block_threads - 1) / block_threads),
        tiles(tile_columns.by * tile_rows.by * channel_tiles.by * s.offset_groups() * images) {}
};

/// Returns the tap of a batch that belongs to this thread; row is below the input if there is none.
template <class T>
__device__ device_tap<accumulator_t<T>> tap_of_batch(deform_job<T> const& job, index n, index offset_group, index batch,
                                                     index& tap, index& pixel) {
  const index i = batch * block_threads + threadIdx.x;
  tap = job.out_pixels.quotient(i), pixel = i - tap * job.s.out_pixels();
  if (tap >= job.s.taps()) return {{job.s.height, job.s.width, 0, 0}, 0};
  return read_tap(job, n, offset_group, tap, pixel);
}

template <class T>
__global__ void __launch_bounds__(block_threads, 1)
    deform_rows_kernel(deform_job<T> const job, deform_round<accumulator_t<T>> const round, divider const batches,
                       row_range* const ranges) {
  __shared__ index first[warps_of_block], last[warps_of_block];
  const index count = round.images * job.s.offset_groups() * batches.by;
  for (index b = blockIdx.x; b < count; b += gridDim.x) {
    const index groups = batches.quotient(b), batch = b - groups * batches.by;
    const index in_round = job.offset_groups.quotient(groups);
    index tap, pixel;
    const auto own =
        tap_of_batch(job, round.first + in_round, groups - in_round * job.s.offset_groups(), batch, tap, pixel);
    const bool inside = own.at.row < job.s.height && own.at.column < job.s.width;
    index least = inside ? own.at.row : job.s.height + 1, most = inside ? own.at.row + 1 : -2;  // or of no row
    for (int step = 16; step > 0; step /= 2) {
      const index other_least = __shfl_xor_sync(0xffffffffU, least, step);
      const index other_most = __shfl_xor_sync(0xffffffffU, most, step);
      least = other_least < least ? other_least : least, most = other_most > most ? other_most : most;
    }
    block_barrier();  // the first thread may still read the ranges before
    if (threadIdx.x % 32 == 0) first[threadIdx.x / 32] = least, last[threadIdx.x / 32] = most;
    block_barrier();  // the ranges are complete
    if (threadIdx.x != 0) continue;
    for (int w = 1; w < warps_of_block; ++w)
      least = first[w] < least ? first[w] : least, most = last[w] > most ? last[w] : most;
    ranges[b] = {least, most};
  }
}

/// A tap that adds to a tile of the input.
template <class A>
struct tile_tap {
  int row, column;  // of its upper left pixel, relative to the tile: from -1
  A weights[4];
  A const* gradient;
};

template <class T>
__global__ void __launch_bounds__(block_threads, 1)
    deform_input_kernel(deform_job<T> const job, deform_round<accumulator_t<T>> const round,
                        row_range const* const ranges, feature_view<T> const to, deform_input_cut const cut) {
  using A = accumulator_t<T>;
  __shared__ A sums[input_tile][input_tile][channel_tile];
  __shared__ tile_tap<A> taps[block_threads];
  __shared__ int found[warps_of_block];
  detail::deform_shape const& s = job.s;
  const int lane = int(threadIdx.x) % 32, warp = int(threadIdx.x) / 32;
  for (index b = blockIdx.x; b < cut.tiles; b += gridDim.x) {
    const index of_rows = cut.tile_columns.quotient(b), left = (b - of_rows * cut.tile_columns.by) * input_tile;
    const index of_channels = cut.tile_rows.quotient(of_rows);
    const index top = (of_rows - of_channels * cut.tile_rows.by) * input_tile;
    const index groups = cut.channel_tiles.quotient(of_channels);
    const index of_group = (of_channels - groups * cut.channel_tiles.by) * channel_tile + lane;
    const index in_round = job.offset_groups.quotient(groups), offset_group = groups - in_round * s.offset_groups();
    const index n = round.first + in_round, channel = offset_group * s.offset_channels() + of_group;
    const bool has_channel = of_group < s.offset_channels();
    for (int x = 0; x < input_tile; ++x) sums[warp][x][lane] = 0;  // read and written by this thread alone
    for (index batch = 0; batch < cut.batches; ++batch) {
      const row_range rows = ranges[groups * cut.batches + batch];
      if (rows.last < top || rows.first >= top + input_tile) continue;  // the same for all threads
      index tap, pixel;
      const device_tap<A> own = tap_of_batch(job, n, offset_group, batch, tap, pixel);
      const index row = own.at.row - top, column = own.at.column - left;
      const bool meets = own.at.row < s.height && own.at.column < s.width && row >= -1 && row < input_tile &&
                         column >= -1 && column < input_tile;
      const unsigned met = __ballot_sync(0xffffffffU, meets);
      if (lane == 0) found[warp] = __popc(met);
      block_barrier();  // all counts are known, and no thread reads the taps before
      int before = 0, all = 0;
      for (int w = 0; w < warps_of_block; ++w) {
        if (w < warp) before += found[w];
        all += found[w];
      }
      if (meets) {
        const auto weights = detail::tap_weights(own.at.y, own.at.x, own.mask);
        tile_tap<A>& place = taps[before + __popc(met & ((1U << lane) - 1))];
        place.row = int(row), place.column = int(column);
        for (int k = 0; k < 4; ++k) place.weights[k] = weights.at[k];
        place.gradient = round.of_tap(s, n, pixel, tap);
      }
      block_barrier();  // the taps are complete
      for (int i = 0; i < all; ++i) {
        tile_tap<A> const& t = taps[i];
        const int below = warp - t.row;  // 0: this row is the tap's upper one, 1: the lower one
        if (below < 0 || below > 1 || !has_channel) continue;
        const A g = t.gradient[channel];
        if (t.column >= 0) sums[warp][t.column][lane] += t.weights[2 * below] * g;
        if (t.column + 1 < input_tile) sums[warp][t.column + 1][lane] += t.weights[2 * below + 1] * g;
      }
    }
    if (has_channel && top + warp < s.height)
      for (int x = 0; x < input_tile; ++x)
        if (left + x < s.width)
          to.plane(n, channel)[(top + warp) * s.width + left + x] = detail::narrowed<T>(sums[warp][x][lane]);
  }
}

}  // namespace hone::inline HONE_ABI::on_cuda

#include <hone/core/macros_pop.hpp>
