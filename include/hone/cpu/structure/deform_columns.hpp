// SPDX-License-Identifier: MIT
/// The columns of a tile of output pixels, and the way back: to the image, and to offsets and mask. A tap's position
/// and weights are computed once and used for all channels of a part, which are contiguous in the padded image.
#pragma once

#include <hone/cpu/structure/deform_parts.hpp>
#include <hone/cpu/structure/pixel_major.hpp>
#include <hone/structure/deform_tap.hpp>

#include <hone/core/macros_push.hpp>

namespace hone::inline HONE_ABI::on_cpu {

/// A tap of one output pixel: its upper left pixel in the padded image, the weights of its four pixels, mask included.
template <class A>
struct placed_tap {
  index pixel;
  detail::tap_corners<A> weights;
  A y, x, mask;
};

/// Computes the taps of a tile: tap k of pixel p is taps[p · s.taps() + k]. offsets and mask (null: 1) point to the
/// planes of one offset group of one image.
template <class A>
void place_taps(detail::deform_shape const& s, A const* offsets, A const* mask, pixel_tile tile,
                placed_tap<A>* to) noexcept {
  const padded_image image{s.height, s.width};
  const index taps = s.taps(), out_pixels = s.out_pixels();
  deform_conv_options const& o = s.options;
  for (index tap = 0; tap < taps; ++tap) {
    const index i = tap / s.kernel_width, j = tap % s.kernel_width;
    const index above = i * o.dilation.y - o.padding.top, before = j * o.dilation.x - o.padding.left;
    A const* const by_y = offsets + 2 * tap * out_pixels + tile.begin;
    A const* const by_x = by_y + out_pixels;
    A const* const factor = mask ? mask + tap * out_pixels + tile.begin : nullptr;
    index y = tile.begin / s.out_width, x = tile.begin % s.out_width;
    for (index p = 0; p < tile.count; ++p) {
      const auto at = detail::tap_at(detail::tap_on_axis(y * o.stride.y + above, by_y[p], s.height, o.border),
                                     detail::tap_on_axis(x * o.stride.x + before, by_x[p], s.width, o.border));
      const A m = factor ? factor[p] : A(1);
      to[p * taps + tap] = {image.at(at.row, at.column), detail::tap_weights(at.y, at.x, m), at.y, at.x, m};
      if (++x == s.out_width) x = 0, ++y;
    }
  }
}

/// Returns the four pixels of a tap in a padded image with these channels.
template <class A>
HONE_INLINE detail::tap_corners<A*> corners_of(A* image, index pixel, index row, index channels) noexcept {
  A* const upper = image + pixel * channels;
  A* const lower = upper + row * channels;
  return {{upper, upper + channels, lower, lower + channels}};
}

/// Computes the columns: number c of tap k of pixel p is to[p · depth + k · channels + c]. Sets the numbers after the
/// last tap to 0, up to the depth.
template <class A>
void fill_columns(A const* image, index row, index channels, placed_tap<A> const* taps, index tap_count, index pixels,
                  index depth, A* to) noexcept {
  using V = pack<A>;
  for (index p = 0; p < pixels; ++p) {
    A* column = to + p * depth;
    for (index k = 0; k < tap_count; ++k, column += channels) {
      placed_tap<A> const& tap = taps[p * tap_count + k];
      const auto from = corners_of(image, tap.pixel, row, channels);
      A const* const w = tap.weights.at;
      const V w0(w[0]), w1(w[1]), w2(w[2]), w3(w[3]);
      index c = 0;
      for (; c + V::size <= channels; c += V::size) {
        const V upper = fma(w1, V::load(from.at[1] + c), w0 * V::load(from.at[0] + c));
        fma(w3, V::load(from.at[3] + c), fma(w2, V::load(from.at[2] + c), upper)).store(column + c);
      }
      for (; c < channels; ++c)
        column[c] = w[0] * from.at[0][c] + w[1] * from.at[1][c] + w[2] * from.at[2][c] + w[3] * from.at[3][c];
    }
    for (A* const end = to + (p + 1) * depth; column < end; ++column) *column = 0;
  }
}

/// Adds the gradients of the columns to the padded image, pixel by pixel and tap by tap.
template <class A>
void scatter_columns(A const* gradient, index depth, placed_tap<A> const* taps, index tap_count, index pixels, A* image,
                     index row, index channels) noexcept {
  using V = pack<A>;
  for (index p = 0; p < pixels; ++p)
    for (index k = 0; k < tap_count; ++k) {
      placed_tap<A> const& tap = taps[p * tap_count + k];
      A const* const g = gradient + p * depth + k * channels;
      const auto to = corners_of(image, tap.pixel, row, channels);
      A const* const w = tap.weights.at;
      const V w0(w[0]), w1(w[1]), w2(w[2]), w3(w[3]);
      index c = 0;
      for (; c + V::size <= channels; c += V::size) {
        const V x = V::load(g + c);
        fma(w0, x, V::load(to.at[0] + c)).store(to.at[0] + c);
        fma(w1, x, V::load(to.at[1] + c)).store(to.at[1] + c);
        fma(w2, x, V::load(to.at[2] + c)).store(to.at[2] + c);
        fma(w3, x, V::load(to.at[3] + c)).store(to.at[3] + c);
      }
      for (; c < channels; ++c)
        for (int corner = 0; corner < 4; ++corner) to.at[corner][c] += w[corner] * g[c];
    }
}

/// Where the gradients of one offset group of one image go; null: nowhere.
template <class A>
struct offset_gradients {
  A *offsets, *mask;
};

/// Adds to, or writes, the gradients of offsets and mask: sums over the channels of a part.
template <class A>
void differentiate_taps(A const* gradient, index depth, A const* image, index row, index channels,
                        placed_tap<A> const* taps, index tap_count, pixel_tile tile, index out_pixels,
                        offset_gradients<A> to, bool add) noexcept {
  using V = pack<A>;
  for (index p = 0; p < tile.count; ++p)
    for (index k = 0; k < tap_count; ++k) {
      placed_tap<A> const& tap = taps[p * tap_count + k];
      A const* const g = gradient + p * depth + k * channels;
      const auto from = corners_of(image, tap.pixel, row, channels);
      V sums[4] = {V(0), V(0), V(0), V(0)};
      index c = 0;
      for (; c + V::size <= channels; c += V::size) {
        const V x = V::load(g + c);
        unrolled<4>([&](int i) HONE_INLINE_LAMBDA { sums[i] = fma(x, V::load(from.at[i] + c), sums[i]); });
      }
      detail::tap_corners<A> products{{sum(sums[0]), sum(sums[1]), sum(sums[2]), sum(sums[3])}};
      for (; c < channels; ++c)
        for (int i = 0; i < 4; ++i) products.at[i] += g[c] * from.at[i][c];
      const auto tap_sum = detail::tap_of(products, tap.y, tap.x);
      const auto put = [&](A* plane, A x) {
        A& number = plane[tile.begin + p];
        number = add ? number + x : x;
      };
      if (to.offsets) put(to.offsets + 2 * k * out_pixels, tap.mask * tap_sum.by_y);
      if (to.offsets) put(to.offsets + (2 * k + 1) * out_pixels, tap.mask * tap_sum.by_x);
      if (to.mask) put(to.mask + k * out_pixels, tap_sum.value);
    }
}

}  // namespace hone::inline HONE_ABI::on_cpu

#include <hone/core/macros_pop.hpp>
