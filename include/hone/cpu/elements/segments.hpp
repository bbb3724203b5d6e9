// SPDX-License-Identifier: MIT
/// Segments: runs of elements of a matrix or of images, read and written as consecutive numbers.
#pragma once

#include <hone/cpu/run/chunks.hpp>
#include <hone/cpu/simd/math.hpp>

#include <algorithm>
#include <type_traits>

#include <hone/core/macros_push.hpp>

namespace hone::inline HONE_ABI::on_cpu {

inline constexpr index segment_elements = 1024;

/// `size` elements of a matrix, starting at (row, column). A segment of a contiguous matrix, or of images, may span
/// several rows.
struct segment {
  index row, column, size;
};

template <class T>
bool contiguous(matrix_view<T> v) noexcept {
  return v.row_stride == v.columns || v.rows <= 1;
}
template <class T>
bool contiguous(image_view<T>) noexcept {
  return true;
}

/// Calls body(pointer, at, count) for every run of pixels of one channel in a segment: number i of the run, at
/// pointer[i], is number at + i · channels of the segment.
template <class T, class Body>
void each_pixel_run(image_view<T> v, segment s, Body const& body) noexcept {
  for (index c = 0; c < v.channels; ++c) {
    index at = c < s.column ? c - s.column + v.channels : c - s.column, row = s.row + (c < s.column);
    for (index n = 0; at < s.size; at += n * v.channels, row += n) {
      n = std::min(v.pixels - row % v.pixels, (s.size - at + v.channels - 1) / v.channels);
      body(address(v, row, c), at, n);
    }
  }
}

/// gather copies a segment to consecutive numbers; scatter copies them back.
template <class A, class T>
void gather(matrix_view<T> v, segment s, A* to) noexcept {
  convert(v.row(s.row) + s.column, to, s.size);
}
template <class A, class T>
void gather(image_view<T> v, segment s, A* to) noexcept {
  each_pixel_run(v, s, [&](T const* pixels, index at, index n) {
    if (v.channels == 1) return convert(pixels, to + at, n);
    for (index i = 0; i < n; ++i) to[at + i * v.channels] = static_cast<A>(pixels[i]);
  });
}
template <class A, class T>
void scatter(matrix_view<T> v, segment s, A const* from) noexcept {
  convert(from, v.row(s.row) + s.column, s.size);
}
template <class A, class T>
void scatter(image_view<T> v, segment s, A const* from) noexcept {
  each_pixel_run(v, s, [&](T* pixels, index at, index n) {
    if (v.channels == 1) return convert(from + at, pixels, n);
    for (index i = 0; i < n; ++i) pixels[i] = detail::narrowed<T>(from[at + i * v.channels]);
  });
}

/// Returns the segment in place if it consists of full packs of type A; otherwise a copy in `to`, padded with zeros.
template <class A, class View>
A const* view_or_copy(View v, segment s, A* to) noexcept {
  if constexpr (std::is_same_v<View, matrix_view<const A>> || std::is_same_v<View, matrix_view<A>>)
    if (s.size % pack<A>::size == 0) return v.row(s.row) + s.column;
  gather(v, s, to);
  for (index j = s.size; j % pack<A>::size != 0; ++j) to[j] = 0;
  return to;
}

/// Calls body(row, from, to, first) for each row in a segment: numbers [from, to) of the segment lie in that row,
/// and its column 0 would be number `first`.
template <class Body>
void each_row(segment s, index columns, Body const& body) noexcept {
  index row = s.row, first = -s.column;
  for (; first < s.size; first += columns, ++row)
    body(row, std::max<index>(first, 0), std::min(first + columns, s.size), first);
}

}  // namespace hone::inline HONE_ABI::on_cpu

#include <hone/core/macros_pop.hpp>
