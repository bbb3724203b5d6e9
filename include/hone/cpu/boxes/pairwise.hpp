// SPDX-License-Identifier: MIT
/// Overlaps of every box of one set with every box of another set, on the CPU.
#pragma once

#include <hone/cpu/memory/box_layout.hpp>
#include <hone/cpu/run/chunks.hpp>
#include <hone/cpu/simd/math.hpp>
#include <hone/loss/box/pairwise.hpp>

#include <hone/core/macros_push.hpp>

namespace hone::inline HONE_ABI {

namespace on_cpu {

/// Writes to `to` the overlaps of one box with `boxes` boxes, a multiple of V::size, in four columns.
template <class Format, class A, class Overlap>
void overlap_row(Overlap const& overlap, A const (&one)[4], A const* columns, A* to, index boxes) noexcept {
  using V = pack<A>;
  const box<V> first = Format::numbers_of({V(one[0]), V(one[1]), V(one[2]), V(one[3])});
  for (index j = 0; j < boxes; j += V::size) {
    A const* const at = columns + j;
    const box<V> second{V::load(at), V::load(at + segment_boxes), V::load(at + 2 * segment_boxes),
                        V::load(at + 3 * segment_boxes)};
    overlap(box_pair<V, Format>(first, second)).store(to + j);
  }
}

/// Writes Format's numbers of a segment of boxes to four columns in `to`, padded to full packs.
template <class Format, class A, class T>
void columns_of_boxes(matrix_view<const T> v, box_segment s, A* rows, A* to) noexcept {
  const box_lines<A const> lines = view_or_copy(v, s, rows);
  for (index j = 0; j < s.boxes; j += pack<A>::size) {
    pack<A> x[4];
    lines.load(j, x);
    const box<pack<A>> b = Format::numbers_of(x);
    lines.to_order(b.x1).store(to + j), lines.to_order(b.y1).store(to + segment_boxes + j);
    lines.to_order(b.x2).store(to + 2 * segment_boxes + j), lines.to_order(b.y2).store(to + 3 * segment_boxes + j);
  }
}

template <class Overlap, class Format, class T>
void pairwise(cpu const& backend, const char* function, matrix_view<const T> a, matrix_view<const T> b,
              matrix_view<detail::overlap_number<T>> out) {
  using A = detail::box_arithmetic<T>;
  using O = detail::overlap_number<T>;
  using V = pack<A>;
  detail::require_pairwise(function, a, b, out);
  const bool streaming = static_cast<std::size_t>(out.rows * out.columns) * sizeof(O) >= streaming_from;
  const index per = std::max({chunk_elements / std::max<index>(b.rows, 1), (a.rows + max_chunks - 1) / max_chunks,
                              std::min<index>(16, a.rows / 64), index(1)});
  const chunk_plan_t plan{a.rows, per};
  const std::size_t bytes = 2 * arena::room_for<A>(4 * segment_boxes) + arena::room_for<A>(segment_boxes);
  for_chunks(backend, plan.chunks(), bytes, [&](index chunk, std::byte* memory) {
    arena pieces(memory);
    A* const rows = pieces.take<A>(4 * segment_boxes);
    A* const columns = pieces.take<A>(4 * segment_boxes);
    A* const line = pieces.take<A>(segment_boxes);
    const index begin = chunk * per, end = std::min(begin + per, a.rows);
    for (index at = 0; at < b.rows; at += segment_boxes) {
      const box_segment s = segment_at(b, at, b.rows);
      columns_of_boxes<Format>(b, s, rows, columns);
      const index padded = (s.boxes + V::size - 1) / V::size * V::size;
      for (index i = begin; i < end; ++i) {
        A one[4];
        convert(a.row(i), one, 4);
        O* const to = out.row(i) + at;
        if constexpr (std::is_same_v<A, O>)
          if (!streaming && padded == s.boxes) {
            overlap_row<Format>(Overlap{}, one, columns, to, padded);
            continue;
          }
        overlap_row<Format>(Overlap{}, one, columns, line, padded);
        if constexpr (std::is_same_v<A, O>)
          if (streaming) {
            stream_copy(static_cast<A const*>(line), to, s.boxes);
            continue;
          }
        convert(static_cast<A const*>(line), to, s.boxes);
      }
    }
    stream_fence();
  });
}

}  // namespace on_cpu

/// The CPU implementation of the functions in loss/box/pairwise.hpp.
template <class Overlap, class T, class Format>
void fill_overlaps(cpu const& backend, Overlap const&, const char* function, matrix_view<const T> a,
                   matrix_view<const T> b, matrix_view<detail::overlap_number<T>> out, Format) {
  on_cpu::pairwise<Overlap, Format>(backend, function, a, b, out);
}

}  // namespace hone::inline HONE_ABI

#include <hone/core/macros_pop.hpp>
