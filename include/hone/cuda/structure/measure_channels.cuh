// SPDX-License-Identifier: MIT
/// Statistics of the channels of a batch, on CUDA.
#pragma once

#include <hone/cuda/run/backend.cuh>
#include <hone/cuda/structure/plane_team.cuh>
#include <hone/structure/batch_norm.hpp>

#include <algorithm>
#include <cstddef>
#include <span>
#include <type_traits>

#include <hone/core/macros_push.hpp>

namespace hone::inline HONE_ABI {
namespace on_cuda {

inline constexpr int measured_numbers = 16;  // of a thread, in registers between the mean and the squares about it

/// How planes are measured: in runs that a team holds in registers. The host divides.
struct measured_planes {
  index pixels, whole;         // of a plane, and of a run
  double per_whole, per_last;  // 1 / the pixels of a run, and of the last one
  bool wide;

  measured_planes(index pixels_, int team, bool wide_) noexcept
      : pixels(pixels_), whole(index(team) * measured_numbers), wide(wide_) {
    per_whole = 1 / static_cast<double>(whole);
    per_last = 1 / static_cast<double>((pixels - 1) % whole + 1);
  }
};

/// The channels of images in parts of a few images each, so that there are enough teams.
struct measured_parts {
  index images, channels, images_per_part, parts;

  measured_parts(index images_, index channels_, index pixels) noexcept : images(images_), channels(channels_) {
    const index teams = pixels <= largest_warp_plane ? index(max_blocks) * plane_team<32>::per_block : max_blocks;
    images_per_part = std::max<index>(images * channels / teams, 1);
    parts = (images + images_per_part - 1) / images_per_part;
  }
  std::size_t bytes() const noexcept {
    return workspace_alignment + sizeof(channel_statistics) * std::size_t(parts * channels);
  }
};

/// Returns the statistics of a plane, in every thread: of each run the mean, then the squares about it, and these
/// merged in order.
template <class Team, int N, class T>
__device__ channel_statistics measured_plane(T const* x, measured_planes const& how) {
  using A = accumulator_t<T>;
  constexpr int vectors = measured_numbers / N;
  channel_statistics all;
  for (index from = 0; from < how.pixels; from += how.whole) {
    const index left = how.pixels - from < how.whole ? how.pixels - from : how.whole;
    const double per_pixel = left == how.whole ? how.per_whole : how.per_last;
    A at[vectors][N];
    A sum = 0, squares = 0, rest = 0;
#pragma unroll
    for (int k = 0; k < vectors; ++k) {
      const int i = (k * Team::size + Team::rank()) * N;
      if (i >= left) continue;
      load<A>(x + from + i, at[k], N);
#pragma unroll
      for (int j = 0; j < N; ++j) sum += at[k][j];
    }
    const A middle = static_cast<A>(Team::joined(joins_sums(), static_cast<double>(sum)) * per_pixel);
#pragma unroll
    for (int k = 0; k < vectors; ++k) {
      if ((k * Team::size + Team::rank()) * N >= left) continue;
#pragma unroll
      for (int j = 0; j < N; ++j) {
        const A d = at[k][j] - middle;
        squares += d * d;
        rest += d;
      }
    }
    const double off = Team::joined(joins_sums(), static_cast<double>(rest));  // what rounding the mean cost
    const double m2 = Team::joined(joins_sums(), static_cast<double>(squares)) - off * off * per_pixel;
    all.merge({static_cast<double>(left), static_cast<double>(middle) + off * per_pixel, m2 < 0 ? 0 : m2});
  }
  return all;
}

/// Part k of a channel goes to parts[k · channels + channel]; a single part is merged into the caller's statistics.
template <int Size, class T>
__global__ void __launch_bounds__(block_threads, 1)
    measure_channels_kernel(image_view<const T> const x, measured_planes const how, index const images_per_part,
                            divider const channels, index const all_parts, channel_statistics* const to) {
  using team = plane_team<Size>;
  for (index k = team::first(); k < all_parts; k += team::step()) {
    const index part = channels.quotient(k), channel = k - part * channels.by;
    const index begin = part * images_per_part, end = begin + images_per_part;
    channel_statistics all;
    for (index i = begin; i < end && i < x.images; ++i) {
      T const* const plane = x.data + (i * channels.by + channel) * x.pixels;
      all.merge(how.wide ? measured_plane<team, wide_of<T>>(plane, how) : measured_plane<team, 1>(plane, how));
    }
    if (team::rank() != 0) continue;
    if (all_parts == channels.by)
      to[channel].merge(all);
    else
      to[k] = all;
  }
}

template <class Statistics>
__global__ void __launch_bounds__(block_threads) merge_channels_kernel(Statistics const* const parts, index const count,
                                                                       index const channels, Statistics* const to) {
  for (index c = index(blockIdx.x) * block_threads + threadIdx.x; c < channels; c += index(gridDim.x) * block_threads) {
    Statistics all;
    for (index k = 0; k < count; ++k) all.merge(parts[k * channels + c]);
    to[c].merge(all);
  }
}

}  // namespace on_cuda

/// Enqueues hone::measure_channels, as documented for the CPU: merges the statistics of every channel of x into `to`,
/// in device memory, which begins as bytes of 0. One kernel that reads x once, and a second one unless there are many
/// channels. The same bits in every run. Uses measure_channels_workspace_bytes(x) bytes of workspace.
template <class T>
void measure_channels(cuda& backend, image_view<T> x, std::span<channel_statistics> to) {
  using number = std::remove_const_t<T>;
  const image_view<const number> from = x;
  detail::require_measure_channels(from, to);
  if (x.images * x.channels == 0) return;
  const on_cuda::measured_parts cut(x.images, x.channels, x.pixels);
  channel_statistics* parts = to.data();
  if (cut.parts > 1) {
    backend.reserve(cut.bytes());
    parts = reinterpret_cast<channel_statistics*>(on_cuda::workspace_of_kernels(backend));
  }
  const on_cuda::device_of_stream device(backend.placed());
  const int team = x.pixels <= on_cuda::largest_warp_plane ? 32 : on_cuda::block_threads;
  const on_cuda::measured_planes how(x.pixels, team, on_cuda::planes_are_wide(x.pixels, from.data));
  on_cuda::launch_planes("measure_channels: measure_channels_kernel", on_cuda::measure_channels_kernel<32, number>,
                         on_cuda::measure_channels_kernel<on_cuda::block_threads, number>, cut.parts * x.channels,
                         x.pixels, backend.stream(), from, how, cut.images_per_part, on_cuda::divider(x.channels),
                         cut.parts * x.channels, parts);
  if (cut.parts > 1)
    on_cuda::launch("measure_channels: merge_channels_kernel", on_cuda::merge_channels_kernel<channel_statistics>,
                    {on_cuda::blocks_for(x.channels), on_cuda::block_threads}, backend.stream(), parts, cut.parts,
                    x.channels, to.data());
}

/// Returns the bytes of workspace that measure_channels needs for images of this shape.
template <class T>
std::size_t measure_channels_workspace_bytes(image_view<T> x) noexcept {
  if (x.images * x.channels == 0) return 0;
  return on_cuda::measured_parts(x.images, x.channels, x.pixels).bytes();
}

}  // namespace hone::inline HONE_ABI

#include <hone/core/macros_pop.hpp>
