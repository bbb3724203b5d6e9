// SPDX-License-Identifier: MIT
/// What all kernels of deformable convolution read: taps, and the pixels around them.
#pragma once

#include <hone/cuda/run/barrier.cuh>
#include <hone/cuda/run/launch.cuh>
#include <hone/cuda/run/launch.hpp>
#include <hone/structure/deform_conv.hpp>

#include <hone/core/macros_push.hpp>

namespace hone::inline HONE_ABI::on_cuda {

inline constexpr int pixel_tile = 64;    // output pixels of a block
inline constexpr int channel_tile = 32;  // channels, or outputs, of a block: one per lane
inline constexpr int depth_tile = 16;    // numbers of the sums that are in shared memory at once
inline constexpr int warps_of_block = block_threads / 32;

/// The arguments of a call, and the dividers of its sizes.
template <class T>
struct deform_job {
  detail::deform_shape s;
  detail::deform_arguments<T> from;
  divider out_pixels{s.out_pixels()}, out_width{s.out_width}, kernel_width{s.kernel_width}, taps{s.taps()},
      offset_channels{s.offset_channels()}, group_channels{s.group_channels()}, offset_groups{s.offset_groups()};
};

/// A tap of one output pixel, with its factor.
template <class A>
struct device_tap {
  detail::tap_place<A> at;
  A mask;
};

template <class T>
__device__ device_tap<accumulator_t<T>> read_tap(deform_job<T> const& job, index n, index offset_group, index tap,
                                                 index pixel) {
  detail::deform_shape const& s = job.s;
  deform_conv_options const& o = s.options;
  const index i = job.kernel_width.quotient(tap), j = tap - i * s.kernel_width, y = job.out_width.quotient(pixel),
              x = pixel - y * s.out_width, plane = (n * s.offset_groups() + offset_group) * s.taps() + tap,
              at = 2 * plane * s.out_pixels() + pixel;
  const auto row = detail::tap_on_axis(y * o.stride.y - o.padding.top + i * o.dilation.y, job.from.offsets.data[at],
                                       s.height, o.border);
  const auto column = detail::tap_on_axis(x * o.stride.x - o.padding.left + j * o.dilation.x,
                                          job.from.offsets.data[at + s.out_pixels()], s.width, o.border);
  return {detail::tap_at(row, column),
          job.from.mask.data ? job.from.mask.data[plane * s.out_pixels() + pixel] : accumulator_t<T>(1)};
}

/// Returns the four pixels of a tap in a plane, 0 outside.
template <class T, class A>
__device__ detail::tap_corners<A> corners_at(T const* plane, detail::tap_place<A> const& at, index height,
                                             index width) {
  const bool upper = at.row >= 0 && at.row < height, lower = at.row + 1 >= 0 && at.row + 1 < height,
             left = at.column >= 0 && at.column < width, right = at.column + 1 >= 0 && at.column + 1 < width;
  T const* const first = plane + (at.row * width + at.column);
  return {{upper && left ? static_cast<A>(first[0]) : A(0), upper && right ? static_cast<A>(first[1]) : A(0),
           lower && left ? static_cast<A>(first[width]) : A(0),
           lower && right ? static_cast<A>(first[width + 1]) : A(0)}};
}

/// Returns a number of a column: the tap's value times its mask, from weights that include the mask.
template <class T, class A>
__device__ A column_number(T const* plane, detail::tap_place<A> const& at, detail::tap_corners<A> const& weights,
                           index height, index width) {
  const detail::tap_corners<A> pixels = corners_at(plane, at, height, width);
  return weights.at[0] * pixels.at[0] + weights.at[1] * pixels.at[1] + weights.at[2] * pixels.at[2] +
         weights.at[3] * pixels.at[3];
}

/// Adjacent channels of one group and one offset group: the part of [begin, end) that begins at `begin`.
struct device_part {
  index offset_group, end;
};
template <class T>
__device__ device_part part_at(deform_job<T> const& job, index begin, index end) {
  const index offset_group = job.offset_channels.quotient(begin), last = (offset_group + 1) * job.s.offset_channels();
  return {offset_group, last < end ? last : end};
}

}  // namespace hone::inline HONE_ABI::on_cuda

#include <hone/core/macros_pop.hpp>
