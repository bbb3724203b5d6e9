// SPDX-License-Identifier: MIT
/// Copies planes of channels to pixels whose channels are contiguous, and back.
#pragma once

#include <hone/cpu/memory/convert.hpp>
#include <hone/cpu/simd/transpose.hpp>

#include <algorithm>

#include <hone/core/macros_push.hpp>

namespace hone::inline HONE_ABI::on_cpu {

/// Stores a pack of A as numbers of T.
template <class T, class A>
HONE_INLINE void store_pack_as(pack<A> x, T* to) noexcept {
  if constexpr (std::same_as<T, A>) {
    x.store(to);
  } else if constexpr (has_packs_of<A, T>) {
    store_as(x, to);
  } else {
    A lanes[pack<A>::size];
    x.store(lanes);
    convert(lanes, to, pack<A>::size);
  }
}

/// Sets to[j · to_row + i] = from[i · from_row + j] for i < rows and j < columns, converted by way of A.
template <class A, class From, class To>
void transpose_numbers(From const* from, index from_row, index rows, index columns, To* to, index to_row) noexcept {
  constexpr index W = pack<A>::size;
  for (index i = 0; i < rows; i += W)
    for (index j = 0; j < columns; j += W) {
      From const* const source = from + i * from_row + j;
      To* const target = to + j * to_row + i;
      if (i + W <= rows && j + W <= columns) {
        square_of<A> x;
        for (index r = 0; r < W; ++r) x.packet[r] = load_as<A>(source + r * from_row).v;
        transpose<A>(x);
        for (index r = 0; r < W; ++r) store_pack_as(pack<A>::of(x.packet[r]), target + r * to_row);
      } else {
        for (index r = 0; r < std::min(W, rows - i); ++r)
          for (index c = 0; c < std::min(W, columns - j); ++c)
            target[c * to_row + r] = detail::narrowed<To>(static_cast<A>(source[r * from_row + c]));
      }
    }
}

/// The pixels of an image with zeros around them: one row above, two below, one column on either side, and one pixel
/// more. So the four pixels of a tap at rows -1 to height and columns -1 to width exist, and those outside are 0.
struct padded_image {
  index height, width;

  constexpr index row() const noexcept { return width + 2; }
  constexpr index pixels() const noexcept { return (height + 3) * row() + 1; }
  constexpr index at(index y, index x) const noexcept { return (y + 1) * row() + x + 1; }
};

/// Copies `channels` planes to `to`, whose pixels have their channels side by side, and sets the zeros around.
template <class A, class T>
void pad_planes(T const* planes, padded_image image, index channels, A* to) noexcept {
  const index height = image.height, width = image.width;
  if (height == 0 || width == 0) return static_cast<void>(std::fill_n(to, image.pixels() * channels, A(0)));
  std::fill_n(to, image.at(0, 0) * channels, A(0));
  for (index y = 0; y < height; ++y) {
    A* const row = to + image.at(y, 0) * channels;
    transpose_numbers<A>(planes + y * width, height * width, channels, width, row, channels);
    std::fill_n(row + width * channels, 2 * channels, A(0));  // the right side, and the next row's left side
  }
  A* const below = to + image.at(height, 0) * channels;
  std::fill_n(below, to + image.pixels() * channels - below, A(0));
}

/// Copies the pixels of a padded image to planes, without what lies around them.
template <class A, class T>
void unpad_planes(A const* from, padded_image image, index channels, T* planes) noexcept {
  for (index y = 0; y < image.height; ++y)
    transpose_numbers<A>(from + image.at(y, 0) * channels, channels, image.width, channels, planes + y * image.width,
                         image.height * image.width);
}

}  // namespace hone::inline HONE_ABI::on_cpu

#include <hone/core/macros_pop.hpp>
