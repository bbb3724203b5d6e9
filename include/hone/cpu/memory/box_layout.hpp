// SPDX-License-Identifier: MIT
/// The memory layout of a segment's boxes in a sweep: rows of four numbers, or four columns.
#pragma once

#include <hone/core/view.hpp>
#include <hone/cpu/memory/interleave.hpp>
#include <hone/cpu/memory/row_layout.hpp>
#include <hone/cpu/memory/streaming_store.hpp>

#include <algorithm>

#include <hone/core/macros_push.hpp>

namespace hone::inline HONE_ABI::on_cpu {

inline constexpr index segment_boxes = 256;  // some KiB per view: all stay in the first-level cache
inline constexpr index long_segment_boxes = 1024;

struct box_segment {
  index first, boxes;
};

/// Returns the segment that starts at a box: at most `max_boxes` boxes without a gap.
template <class T>
box_segment segment_at(matrix_view<T>, index first, index end, index max_boxes = segment_boxes) noexcept {
  return {first, std::min(max_boxes, end - first)};
}
template <class T>
box_segment segment_at(image_view<T> v, index first, index end, index max_boxes = segment_boxes) noexcept {
  return {first, std::min({max_boxes, end - first, v.pixels - first % v.pixels})};
}

/// Rows of four numbers from at[0] on, or one column at each pointer; at[0] is null if there are no lines. Boxes take
/// the lanes in an order that depends on the layout; numbers of boxes from elsewhere are to be brought into that order.
template <class Number, bool Rows = true>
struct box_lines {
  using A = std::remove_const_t<Number>;

  Number* at[4] = {};
  bool streaming = false;  // rows are stored past the caches; they are aligned for packs

  HONE_INLINE void load(index i, pack<A> (&to)[4]) const noexcept {
    if constexpr (Rows) {
      load_columns(static_cast<A const*>(at[0] + 4 * i), to);
    } else {
      to[0] = pack<A>::load(at[0] + i), to[1] = pack<A>::load(at[1] + i);
      to[2] = pack<A>::load(at[2] + i), to[3] = pack<A>::load(at[3] + i);
    }
  }
  HONE_INLINE void store(index i, pack<A> const (&from)[4]) const noexcept {
    if constexpr (Rows) {
      store_columns(from, at[0] + 4 * i, streaming);
    } else {
      from[0].store(at[0] + i), from[1].store(at[1] + i), from[2].store(at[2] + i), from[3].store(at[3] + i);
    }
  }

  /// Requests rows some KiB after box i: hardware prefetches only within a page.
  HONE_INLINE void prefetch(index i) const noexcept {
    if constexpr (Rows) {
      constexpr index bytes = 4 * sizeof(pack<A>), line = 64;
      char const* const p = reinterpret_cast<char const*>(at[0] + 4 * i) + 4096;
      packets::prefetch(p);
      if constexpr (bytes > line) packets::prefetch(p + line);
      if constexpr (bytes > 2 * line) packets::prefetch(p + 2 * line), packets::prefetch(p + 3 * line);
    }
  }

  /// Returns numbers of consecutive boxes in the lanes of these boxes, and the reverse.
  HONE_INLINE static pack<A> to_lanes(pack<A> x) noexcept {
    if constexpr (Rows) return to_lanes_of_columns(x);
    return x;
  }
  HONE_INLINE static pack<A> to_order(pack<A> x) noexcept {
    if constexpr (Rows) return to_order_of_rows(x);
    return x;
  }

  /// The same lines, which may no longer be written.
  operator box_lines<Number const, Rows>() const noexcept { return {{at[0], at[1], at[2], at[3]}, streaming}; }
};

template <class View>
inline constexpr bool stores_rows = requires(View v) { v.row_stride; };

/// The lines of the boxes of a view.
template <class Number, class View>
using lines_of = box_lines<Number, stores_rows<View>>;

/// True if full packs of type A of all segments can be reached in place.
template <class A, class T>
bool is_in_place(matrix_view<T> v) noexcept {
  return std::is_same_v<std::remove_const_t<T>, A> && v.row_stride == 4;
}
template <class A, class T>
bool is_in_place(image_view<T>) noexcept {
  return std::is_same_v<std::remove_const_t<T>, A>;
}

/// Returns lines in scratch of 4 · segment_boxes numbers, with the layout of the view: rows or columns.
template <class View, class A>
lines_of<A, View> lines_of_scratch(View, A* memory) noexcept {
  return {{memory, memory + segment_boxes, memory + 2 * segment_boxes, memory + 3 * segment_boxes}};
}

/// Returns the segment in place if it consists of full packs of type A without gaps; otherwise no lines.
template <class A, class T>
auto lines_in_place(matrix_view<T> v, box_segment s) noexcept {
  using number = std::conditional_t<std::is_const_v<T>, A const, A>;
  lines_of<number, matrix_view<T>> lines;
  if constexpr (std::is_same_v<std::remove_const_t<T>, A>)
    if (v.data && (v.row_stride == 4 || s.boxes == 1) && s.boxes % pack<A>::size == 0) lines.at[0] = v.row(s.first);
  return lines;
}
template <class A, class T>
auto lines_in_place(image_view<T> v, box_segment s) noexcept {
  using number = std::conditional_t<std::is_const_v<T>, A const, A>;
  lines_of<number, image_view<T>> lines;
  if constexpr (std::is_same_v<std::remove_const_t<T>, A>)
    if (v.data && s.boxes % pack<A>::size == 0)
      for (int c = 0; c < 4; ++c) lines.at[c] = address(v, s.first, c);
  return lines;
}

/// Copies a segment to scratch and pads the last pack with boxes of zeros.
template <class A, class T>
void get(matrix_view<const T> v, box_segment s, A* to) noexcept {
  if (v.row_stride == 4) {
    convert(v.row(s.first), to, 4 * s.boxes);
  } else {
    for (index j = 0; j < s.boxes; ++j) convert(v.row(s.first + j), to + 4 * j, 4);
  }
  for (index j = s.boxes; j % pack<A>::size != 0; ++j) std::fill_n(to + 4 * j, 4, A(0));
}
template <class A, class T>
void get(image_view<const T> v, box_segment s, A* to) noexcept {
  for (int c = 0; c < 4; ++c) {
    convert(address(v, s.first, c), to + c * segment_boxes, s.boxes);
    for (index j = s.boxes; j % pack<A>::size != 0; ++j) to[c * segment_boxes + j] = 0;
  }
}

/// Returns the segment in place, or a copy of it in scratch.
template <class A, class View>
lines_of<A const, View> view_or_copy(View v, box_segment s, A* memory) noexcept {
  const lines_of<A const, View> lines = lines_in_place<A>(v, s);
  if (lines.at[0]) return lines;
  get(v, s, memory);
  return lines_of_scratch(v, memory);
}

/// Copies a segment from scratch to the view; past the caches if `streaming` is true and type and stride allow it.
template <class A, class T>
void put(box_lines<A> from, matrix_view<T> v, box_segment s, bool streaming) noexcept {
  A const* const numbers = from.at[0];
  if (v.row_stride != 4) {
    for (index j = 0; j < s.boxes; ++j) convert(numbers + 4 * j, v.row(s.first + j), 4);
    return;
  }
  if constexpr (std::is_same_v<A, T>)
    if (streaming) return stream_copy(numbers, v.row(s.first), 4 * s.boxes);
  convert(numbers, v.row(s.first), 4 * s.boxes);
}
template <class A, class T>
void put(box_lines<A, false> from, image_view<T> v, box_segment s, bool streaming) noexcept {
  for (int c = 0; c < 4; ++c) {
    A const* const numbers = from.at[c];
    T* const to = address(v, s.first, c);
    if constexpr (std::is_same_v<A, T>)
      if (streaming) {
        stream_copy(numbers, to, s.boxes);
        continue;
      }
    convert(numbers, to, s.boxes);
  }
}

}  // namespace hone::inline HONE_ABI::on_cpu

#include <hone/core/macros_pop.hpp>
