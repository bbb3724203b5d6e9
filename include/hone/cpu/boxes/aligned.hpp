// SPDX-License-Identifier: MIT
/// The metrics of pairs of boxes on the CPU: one pair per lane.
#pragma once

#include <hone/cpu/memory/box_layout.hpp>
#include <hone/cpu/run/chunks.hpp>
#include <hone/cpu/simd/math.hpp>
#include <hone/loss/box/aligned.hpp>

#include <hone/core/macros_push.hpp>

namespace hone::inline HONE_ABI {

namespace on_cpu {

template <class Format, class Metric, class T>
void aligned(cpu const& backend, Metric const& metric, const char* function, matrix_view<const T> a,
             matrix_view<const T> b, matrix_view<T> out) {
  using A = accumulator_t<T>;
  using V = pack<A>;
  detail::require_aligned(function, a, b, out);
  const chunk_plan_t plan = chunk_plan<A>(a);
  const std::size_t bytes = 2 * arena::room_for<A>(4 * segment_boxes) + arena::room_for<A>(segment_boxes);
  for_chunks(backend, plan.chunks(), bytes, [&](index chunk, std::byte* memory) {
    arena pieces(memory);
    A* const rows_a = pieces.take<A>(4 * segment_boxes);
    A* const rows_b = pieces.take<A>(4 * segment_boxes);
    A* const values = pieces.take<A>(segment_boxes);
    const index end = std::min((chunk + 1) * plan.rows_per_chunk, a.rows);
    for (index i = chunk * plan.rows_per_chunk; i < end; i += segment_boxes) {
      const box_segment s = segment_at(a, i, end);
      const box_lines<A const> of_a = view_or_copy(a, s, rows_a), of_b = view_or_copy(b, s, rows_b);
      for (index j = 0; j < s.boxes; j += V::size) {
        V x[4], y[4];
        of_a.load(j, x), of_b.load(j, y);
        of_a.to_order(metric(box_pair<V, Format>(Format::numbers_of(x), Format::numbers_of(y))).value)
            .store(values + j);
      }
      if (out.row_stride == 1) {
        convert(static_cast<A const*>(values), out.row(i), s.boxes);
      } else {
        for (index j = 0; j < s.boxes; ++j) convert(static_cast<A const*>(values + j), out.row(i + j), 1);
      }
    }
  });
}

}  // namespace on_cpu

/// The CPU implementation of the functions in loss/box/aligned.hpp.
template <class Format, class Metric, class T>
void fill_aligned(cpu const& backend, Metric const& metric, const char* function, matrix_view<const T> a,
                  matrix_view<const T> b, matrix_view<T> out) {
  on_cpu::aligned<Format>(backend, metric, function, a, b, out);
}

}  // namespace hone::inline HONE_ABI

#include <hone/core/macros_pop.hpp>
