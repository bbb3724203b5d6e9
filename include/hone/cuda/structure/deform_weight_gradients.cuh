// SPDX-License-Identifier: MIT
/// The gradients of a deformable convolution by weight and bias on CUDA: sums over all pixels of all images, in slabs
/// of pixels that are added in order.
#pragma once

#include <hone/core/narrowed.hpp>
#include <hone/cuda/structure/deform_taps.cuh>

#include <hone/core/macros_push.hpp>

namespace hone::inline HONE_ABI::on_cuda {

inline constexpr index most_slab_numbers = index(1) << 24;  // of all slabs together
inline constexpr int slab_pixels = 32;                      // in shared memory at once

/// The cut of the weights: tiles of outputs and of channels of a group, per tap and slab.
struct deform_weight_cut {
  divider slabs, output_tiles, channel_tiles;
  index steps_per_slab, numbers, tiles;

  explicit deform_weight_cut(detail::deform_shape const& s) noexcept
      : output_tiles((s.group_outputs() + channel_tile - 1) / channel_tile),
        channel_tiles((s.group_channels() + channel_tile - 1) / channel_tile),
        numbers(s.outputs * s.group_channels() * s.taps()) {
    const index blocks = output_tiles.by * channel_tiles.by * s.taps() * s.groups();
    const index steps = (s.images * s.out_pixels() + slab_pixels - 1) / slab_pixels;
    index count = 512 / blocks;
    if (count > most_slab_numbers / numbers) count = most_slab_numbers / numbers;
    if (count > steps) count = steps;
    if (count < 1) count = 1;
    slabs = divider(count);
    steps_per_slab = (steps + count - 1) / count;
    tiles = blocks * count;
  }
};

template <class T>
__global__ void __launch_bounds__(block_threads, 1)
    deform_weight_kernel(deform_job<T> const job, feature_view<const T> const gradient, accumulator_t<T>* const sums,
                         deform_weight_cut const cut) {
  using A = accumulator_t<T>;
  constexpr int outputs_per_thread = channel_tile / warps_of_block;
  __shared__ A columns[slab_pixels][channel_tile + 1], gradients[slab_pixels][channel_tile + 1];
  detail::deform_shape const& s = job.s;
  const int lane = int(threadIdx.x) % 32, warp = int(threadIdx.x) / 32;
  const index pixels = s.images * s.out_pixels();
  for (index b = blockIdx.x; b < cut.tiles; b += gridDim.x) {
    const index tile = cut.slabs.quotient(b), slab = b - tile * cut.slabs.by;
    const index of_outputs = job.taps.quotient(tile), tap = tile - of_outputs * s.taps();
    const index of_channels = cut.output_tiles.quotient(of_outputs);
    const index first_output = (of_outputs - of_channels * cut.output_tiles.by) * channel_tile;
    const index group = cut.channel_tiles.quotient(of_channels);
    const index first_channel = (of_channels - group * cut.channel_tiles.by) * channel_tile;
    A own[outputs_per_thread] = {};
    for (index step = slab * cut.steps_per_slab; step < (slab + 1) * cut.steps_per_slab; ++step) {
      const index at = step * slab_pixels + lane, n = job.out_pixels.quotient(at), pixel = at - n * s.out_pixels();
      block_barrier();  // other threads may still read the tiles before
      index placed_group = -1;
      device_tap<A> placed{};
      detail::tap_corners<A> factors{};
      for (int i = warp; i < channel_tile; i += warps_of_block) {
        const index c = first_channel + i, channel = group * s.group_channels() + c, o = first_output + i;
        A number = 0;
        if (at < pixels && c < s.group_channels()) {
          const index offset_group = job.offset_channels.quotient(channel);
          if (offset_group != placed_group) {
            placed = read_tap(job, n, offset_group, tap, pixel), placed_group = offset_group;
            factors = detail::tap_weights(placed.at.y, placed.at.x, placed.mask);
          }
          number = column_number(job.from.input.plane(n, channel), placed.at, factors, s.height, s.width);
        }
        columns[lane][i] = number;
        gradients[lane][i] = at < pixels && o < s.group_outputs()
                                 ? static_cast<A>(gradient.plane(n, group * s.group_outputs() + o)[pixel])
                                 : A(0);
      }
      block_barrier();  // the tiles are complete
#pragma unroll 4
      for (int p = 0; p < slab_pixels; ++p) {
        const A column = columns[p][lane];
#pragma unroll
        for (int i = 0; i < outputs_per_thread; ++i) own[i] += gradients[p][warp * outputs_per_thread + i] * column;
      }
    }
#pragma unroll
    for (int i = 0; i < outputs_per_thread; ++i) {
      const index o = first_output + warp * outputs_per_thread + i, c = first_channel + lane;
      if (o < s.group_outputs() && c < s.group_channels())
        sums[slab * cut.numbers + ((group * s.group_outputs() + o) * s.group_channels() + c) * s.taps() + tap] = own[i];
    }
  }
}

/// Adds the slabs of every weight in order.
template <class T>
__global__ void __launch_bounds__(block_threads, 1)
    deform_add_slabs_kernel(accumulator_t<T> const* const sums, index const slabs, index const numbers, T* const to) {
  for (index i = index(blockIdx.x) * block_threads + threadIdx.x; i < numbers; i += index(gridDim.x) * block_threads) {
    accumulator_t<T> total = 0;
    for (index slab = 0; slab < slabs; ++slab) total += sums[slab * numbers + i];
    to[i] = detail::narrowed<T>(total);
  }
}

/// A block sums up the gradients of one output: each thread every 256th pixel, then the threads in pairs.
template <class T>
__global__ void __launch_bounds__(block_threads, 1)
    deform_bias_kernel(feature_view<const T> const gradient, divider const out_pixels, T* const to) {
  using A = accumulator_t<T>;
  __shared__ A sums[block_threads];
  const index pixels = gradient.images * out_pixels.by;
  for (index o = blockIdx.x; o < gradient.channels; o += gridDim.x) {
    A own = 0;
    for (index i = threadIdx.x; i < pixels; i += block_threads) {
      const index n = out_pixels.quotient(i);
      own += static_cast<A>(gradient.plane(n, o)[i - n * out_pixels.by]);
    }
    block_barrier();  // the first thread may still read the sum before
    sums[threadIdx.x] = own;
    for (unsigned half = block_threads / 2; half > 0; half /= 2) {
      block_barrier();  // the sums that are read next are complete
      if (threadIdx.x < half) sums[threadIdx.x] += sums[threadIdx.x + half];
    }
    if (threadIdx.x == 0) to[o] = detail::narrowed<T>(sums[0]);
  }
}

}  // namespace hone::inline HONE_ABI::on_cuda

#include <hone/core/macros_pop.hpp>
