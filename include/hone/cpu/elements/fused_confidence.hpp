// SPDX-License-Identifier: MIT
/// Confidences of detections, computed on the CPU.
#pragma once

#include <hone/cpu/elements/elements.hpp>
#include <hone/detect/fused_confidence.hpp>

#include <type_traits>

#include <hone/core/macros_push.hpp>

namespace hone::inline HONE_ABI {
namespace on_cpu {

/// Calls body(pointer, at, count) for each run within one row: `count` numbers from number `at` of the segment on.
template <class T, class Body>
void each_run(matrix_view<T> v, segment s, Body const& body) noexcept {
  index row = s.row, column = s.column;
  for (index at = 0; at < s.size; column = 0, ++row) {
    const index n = std::min(v.columns - column, s.size - at);
    body(v.row(row) + column, at, n);
    at += n;
  }
}

/// Returns the segment as consecutive numbers, in place or copied to `to`. Rows may have padding between them.
template <class A, class T>
A const* view_or_copy_over_gaps(matrix_view<const T> v, segment s, A* to) noexcept {
  if (contiguous(v)) return view_or_copy(v, s, to);
  each_run(v, s, [&](T const* from, index at, index n) { convert(from, to + at, n); });
  for (index j = s.size; j % pack<A>::size != 0; ++j) to[j] = 0;
  return to;
}

}  // namespace on_cpu

/// Writes to out the confidence σ(objectness)^(1-α) · σ(iou)^α of two matrices of logits, or the logit of it:
///
///     hone::fused_confidence(cpu, objectness, iou, out, {.alpha = 0.5, .logits = false})
///
/// All three views have the same shape; out may be one of the inputs. NaN stays NaN. Throws hone::invalid_argument,
/// and writes nothing, if a shape does not fit or an option is out of range.
template <class T>
void fused_confidence(cpu const& backend, matrix_view<T> objectness, std::type_identity_t<matrix_view<const T>> iou,
                      std::type_identity_t<matrix_view<std::remove_const_t<T>>> out,
                      fused_confidence_options options = {}) {
  using number = std::remove_const_t<T>;
  using A = accumulator_t<T>;
  using V = on_cpu::pack<A>;
  constexpr index segment_size = on_cpu::segment_elements;
  const matrix_view<const number> from = objectness;
  detail::require_fused<number>(from, iou, out, options);
  const fused_confidence_formula formula(options, std::numeric_limits<A>::min());
  const index length = from.rows * from.columns, segments = (length + segment_size - 1) / segment_size;
  on_cpu::for_chunks(backend, segments, 3 * on_cpu::arena::room_for<A>(segment_size), [&](index i, std::byte* memory) {
    on_cpu::arena pieces(memory);
    A *const a = pieces.take<A>(segment_size), *const b = pieces.take<A>(segment_size),
             *const to = pieces.take<A>(segment_size);
    const on_cpu::segment s{i * segment_size / from.columns, i * segment_size % from.columns,
                            std::min(segment_size, length - i * segment_size)};
    A const *const x = on_cpu::view_or_copy_over_gaps(from, s, a), *const y = on_cpu::view_or_copy_over_gaps(iou, s, b);
    for (index j = 0; j < s.size; j += V::size) formula(V::load(x + j), V::load(y + j)).store(to + j);
    on_cpu::each_run(out, s,
                     [&](number* p, index at, index n) { on_cpu::convert(static_cast<A const*>(to) + at, p, n); });
  });
}

}  // namespace hone::inline HONE_ABI

#include <hone/core/macros_pop.hpp>
