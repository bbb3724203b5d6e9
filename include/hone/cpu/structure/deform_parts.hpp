// SPDX-License-Identifier: MIT
/// How the CPU cuts a deformable convolution: channels into parts and pixels into tiles, by the shape alone, so that
/// sums have the same order for every number of threads.
#pragma once

#include <hone/cpu/simd/row_product.hpp>
#include <hone/structure/deform_conv.hpp>

#include <algorithm>

#include <hone/core/macros_push.hpp>

namespace hone::inline HONE_ABI::on_cpu {

inline constexpr index tile_pixels = 96;    // output pixels whose columns are computed together
inline constexpr index tile_depth = 640;    // about as many numbers per pixel: a tile stays in the L2 cache
inline constexpr index most_channels = 64;  // of a part

/// Adjacent channels of one group and one offset group.
struct channel_part {
  index begin, end, group, offset_group;
  index number;         ///< of the part within its offset group
  index depths_before;  ///< the sum of the rows (see row_of) of the parts before it

  index channels() const noexcept { return end - begin; }
};

/// Returns the length of a row with all taps of a part's channels, in whole panels.
template <class A>
constexpr index row_of(index taps, index channels) noexcept {
  return whole_panels<A>(taps * channels);
}

/// Returns the most channels of a part: as many as give a tile's columns their size.
inline index channels_of_parts(index taps) noexcept {
  return std::clamp(tile_depth / taps / 16 * 16, index(16), most_channels);
}

/// Calls body(part) for all parts in order: a part ends with its group, its offset group or after `most` channels.
template <class A, class Body>
void each_part(detail::deform_shape const& s, index most, Body const& body) {
  channel_part part{0, 0, 0, -1, 0, 0};
  while (part.begin < s.channels) {
    part.group = part.begin / s.group_channels();
    const index offset_group = part.begin / s.offset_channels();
    part.number = offset_group == part.offset_group ? part.number + 1 : 0;
    part.offset_group = offset_group;
    part.end =
        std::min({(part.group + 1) * s.group_channels(), (offset_group + 1) * s.offset_channels(), part.begin + most});
    body(part);
    part.depths_before += row_of<A>(s.taps(), part.channels());
    part.begin = part.end;
  }
}
template <class A>
index count_parts(detail::deform_shape const& s, index most) {
  index count = 0;
  each_part<A>(s, most, [&](channel_part const&) { ++count; });
  return count;
}

/// Returns the tiles of the pixels of one output image.
inline index tiles_of(detail::deform_shape const& s) noexcept {
  return (s.out_pixels() + tile_pixels - 1) / tile_pixels;
}

/// A range of pixels of one output image.
struct pixel_tile {
  index begin, count;
};
inline pixel_tile tile_at(detail::deform_shape const& s, index tile) noexcept {
  const index begin = tile * tile_pixels;
  return {begin, std::min(tile_pixels, s.out_pixels() - begin)};
}

/// Calls body(o, k, at) for every weight of a part: output o of the group, number k = tap · channels + channel of a
/// row, place `at` in the weights.
template <class Body>
void each_weight(detail::deform_shape const& s, channel_part const& part, Body const& body) {
  const index taps = s.taps(), channels = part.channels(), first = part.begin - part.group * s.group_channels();
  for (index o = 0; o < s.group_outputs(); ++o) {
    const index at = ((part.group * s.group_outputs() + o) * s.group_channels() + first) * taps;
    for (index c = 0; c < channels; ++c)
      for (index tap = 0; tap < taps; ++tap) body(o, tap * channels + c, at + c * taps + tap);
  }
}

/// Returns where number (l, j) of a matrix lies that is stored panel by panel, `depth` deep.
template <class A>
constexpr index panel_place(index depth, index l, index j) noexcept {
  constexpr index columns = panel_columns<A>;
  return j / columns * columns * depth + l * columns + j % columns;
}

}  // namespace hone::inline HONE_ABI::on_cpu

#include <hone/core/macros_pop.hpp>
