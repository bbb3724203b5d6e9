// SPDX-License-Identifier: MIT
/// Deformable convolution on CUDA: a block computes 32 outputs of 64 pixels, from columns that it computes in shared
/// memory.
#pragma once

#include <hone/core/narrowed.hpp>
#include <hone/cuda/run/backend.cuh>
#include <hone/cuda/structure/deform_taps.cuh>

#include <type_traits>

#include <hone/core/macros_push.hpp>

namespace hone::inline HONE_ABI {
namespace on_cuda {

/// The cut of all outputs: tiles of pixels of all images, and of the outputs of a group.
struct deform_cut {
  divider pixel_tiles, output_tiles;
  index tiles;

  explicit deform_cut(detail::deform_shape const& s) noexcept
      : pixel_tiles((s.images * s.out_pixels() + pixel_tile - 1) / pixel_tile),
        output_tiles((s.group_outputs() + channel_tile - 1) / channel_tile),
        tiles(pixel_tiles.by * output_tiles.by * s.groups()) {}
};

template <class T>
__global__ void __launch_bounds__(block_threads, 1)
    deform_conv_kernel(deform_job<T> const job, matrix_view<const T> const bias, feature_view<T> const output,
                       deform_cut const cut) {
  using A = accumulator_t<T>;
  constexpr int outputs_per_thread = channel_tile / warps_of_block;
  __shared__ A columns[depth_tile][pixel_tile], weights[depth_tile][channel_tile];
  detail::deform_shape const& s = job.s;
  const int thread = int(threadIdx.x), lane = thread % 32, warp = thread / 32;
  const index pixels = s.images * s.out_pixels(), channels = s.group_channels();
  for (index b = blockIdx.x; b < cut.tiles; b += gridDim.x) {
    const index rest = cut.pixel_tiles.quotient(b), first_pixel = (b - rest * cut.pixel_tiles.by) * pixel_tile;
    const index group = cut.output_tiles.quotient(rest), output_tile = rest - group * cut.output_tiles.by;
    const index first_output = output_tile * channel_tile, begin = group * channels, end = begin + channels;
    const index of_columns = first_pixel + thread % pixel_tile, n = job.out_pixels.quotient(of_columns);
    const index pixel = of_columns - n * s.out_pixels();
    A sums[outputs_per_thread][2] = {};
    for (index from = begin; from < end;) {
      const device_part part = part_at(job, from, end);
      for (index tap = 0; tap < s.taps(); ++tap) {
        detail::tap_place<A> at{};
        detail::tap_corners<A> factors{};
        if (of_columns < pixels) {
          const device_tap<A> own = read_tap(job, n, part.offset_group, tap, pixel);
          at = own.at, factors = detail::tap_weights(at.y, at.x, own.mask);
        }
        for (index c = from; c < part.end; c += depth_tile) {
          block_barrier();  // other threads may still read the tiles before
          for (int k = thread / pixel_tile; k < depth_tile; k += block_threads / pixel_tile)
            columns[k][thread % pixel_tile] =
                of_columns < pixels && c + k < part.end
                    ? column_number(job.from.input.plane(n, c + k), at, factors, s.height, s.width)
                    : A(0);
          for (int k = warp; k < depth_tile; k += warps_of_block)
            weights[k][lane] = c + k < part.end && first_output + lane < s.group_outputs()
                                   ? static_cast<A>(job.from.weight.plane(
                                         group * s.group_outputs() + first_output + lane, c + k - begin)[tap])
                                   : A(0);
          block_barrier();  // the tiles are complete
#pragma unroll 4
          for (int k = 0; k < depth_tile; ++k) {
            const A left = columns[k][lane], right = columns[k][lane + 32];
#pragma unroll
            for (int i = 0; i < outputs_per_thread; ++i) {
              const A w = weights[k][warp * outputs_per_thread + i];
              sums[i][0] += w * left;
              sums[i][1] += w * right;
            }
          }
        }
      }
      from = part.end;
    }
#pragma unroll
    for (int half = 0; half < 2; ++half) {
      const index to_pixel = first_pixel + lane + 32 * half;
      if (to_pixel >= pixels) continue;
      const index image = job.out_pixels.quotient(to_pixel);
#pragma unroll
      for (int i = 0; i < outputs_per_thread; ++i) {
        const index of_group = first_output + warp * outputs_per_thread + i;
        if (of_group >= s.group_outputs()) continue;
        const index o = group * s.group_outputs() + of_group;
        const A added = bias.data ? sums[i][half] + static_cast<A>(bias.data[o]) : sums[i][half];
        output.plane(image, o)[to_pixel - image * s.out_pixels()] = detail::narrowed<T>(added);
      }
    }
  }
}

}  // namespace on_cuda

/// Enqueues hone::deform_conv2d, as documented for the CPU. Needs no workspace and uses no atomics.
template <class T>
void deform_conv2d(cuda const& backend, std::type_identity_t<feature_view<const T>> input,
                   std::type_identity_t<feature_view<const accumulator_t<T>>> offsets,
                   std::type_identity_t<feature_view<const accumulator_t<T>>> mask,
                   std::type_identity_t<feature_view<const T>> weight, std::type_identity_t<matrix_view<const T>> bias,
                   deform_conv_options const& options, feature_view<T> output) {
  const detail::deform_arguments<T> from{input, offsets, mask, weight};
  const detail::deform_shape shape = detail::require_forward(from, bias, options, output);
  if (shape.images == 0) return;
  const on_cuda::device_of_stream device(backend.placed());
  const on_cuda::deform_cut cut(shape);
  on_cuda::launch("deform_conv2d: deform_conv_kernel", on_cuda::deform_conv_kernel<T>,
                  {on_cuda::grid_for(cut.tiles), on_cuda::block_threads}, backend.stream(),
                  on_cuda::deform_job<T>{shape, from}, bias, output, cut);
}

}  // namespace hone::inline HONE_ABI

#include <hone/core/macros_pop.hpp>
