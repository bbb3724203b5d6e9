// SPDX-License-Identifier: MIT
/// Blends samples on the CPU: one piece of all images at a time, each followed by its partner, so it is read once.
#pragma once

#include <hone/cpu/run/backend.hpp>
#include <hone/cpu/samples/blend_numbers.hpp>

#include <algorithm>
#include <type_traits>

#include <hone/core/macros_push.hpp>

namespace hone::inline HONE_ABI {
namespace on_cpu {

/// Blends features [begin, begin + n) of all rows.
template <class T>
struct blend_job {
  static constexpr index block = 1024;  // the numbers per copy through scratch, for stores that bypass the caches
  static constexpr bool in_packs = element<T> && sizeof(T) > 2;

  detail::drawn_rows draw;
  matrix_view<const T> images;
  matrix_view<T> mixed;
  index const* order;
  bool past_caches;

  /// Blends one row with another image. The pointers are to number `begin` of the rows.
  template <bool PastCaches = false>
  void row(index i, T const* own, T const* other, T* to, index begin, index n, T const* ahead) const noexcept {
    const float lambda = draw.lambda[i];
    if constexpr (!image_number<T>) {
      if (!draw.pastes(i)) return keep_numbers(lambda == 0 ? other : own, to, n);  // masks are never blended
    }
    if (draw.pastes(i))
      paste_numbers(own, other, to, begin, n, draw.boxes[i], draw.height, draw.width);
    else if (own == other || lambda == 1)
      keep_numbers(own, to, n);
    else if (lambda == 0)
      keep_numbers(other, to, n);
    else if constexpr (in_packs)
      blend_numbers<PastCaches>(own, other, to, n, lambda, ahead);
    else if constexpr (image_number<T>)
      blend_numbers(own, other, to, n, lambda);
  }
  /// Returns true if a row is blended by packs, in its own number type, and not copied or pasted.
  bool mixes(index i) const noexcept {
    return in_packs && !draw.pastes(i) && draw.partner[i] != i && draw.lambda[i] != 0 && draw.lambda[i] != 1;
  }

  /// Returns the row to prefetch at place k: two places ahead, because the row at place k + 1 is the partner
  /// of the row at place k.
  T const* ahead_of(index k, index begin) const noexcept {
    return images.row(order[std::min(k + 2, images.rows - 1)]) + begin;
  }

  /// Blends the rows at places [from, end) of the order, each with its partner.
  void rows(index from, index end, index begin, index n, T* scratch) const noexcept {
    for (index k = from; k < end; ++k) {
      const index i = order[k];
      T const *const own = images.row(i) + begin, *const other = images.row(draw.partner[i]) + begin;
      T const* const ahead = ahead_of(k, begin);
      T* const to = mixed.row(i) + begin;
      if (!past_caches) {
        row(i, own, other, to, begin, n, ahead);
      } else if (in_packs && mixes(i)) {
        row<true>(i, own, other, to, begin, n, ahead);
      } else {
        for (index at = 0; at < n; at += block) {
          const index m = std::min(block, n - at);
          for (index j = at; j < at + m; j += index(64 / sizeof(T))) packets::prefetch(ahead + j);
          row(i, own + at, other + at, scratch, begin + at, m, ahead + at);
          stream_copy(static_cast<T const*>(scratch), to + at, m);
        }
      }
    }
  }
  /// Blends all rows in place. For every cycle of partners, `first_row` holds a copy of the first row for the last one.
  void circles(index begin, index n, T* first_row) const noexcept {
    for (index k = 0; k < images.rows; ++k) {
      const index first = order[k];
      if (draw.partner[first] == first) continue;
      T* at = mixed.row(first) + begin;
      if constexpr (in_packs) {
        const index second = draw.partner[first];
        if (draw.partner[second] == first && mixes(first) && mixes(second)) {
          blend_pair(at, mixed.row(second) + begin, n, draw.lambda[first], draw.lambda[second], ahead_of(k, begin),
                     ahead_of(k + 1, begin));
          ++k;
          continue;
        }
      }
      std::copy_n(at, n, first_row);
      for (index next; (next = draw.partner[order[k]]) != first; ++k) {
        T* const other = mixed.row(next) + begin;
        row(order[k], at, other, at, begin, n, ahead_of(k, begin));
        at = other;
      }
      row(order[k], at, first_row, at, begin, n, ahead_of(k, begin));
    }
  }
};

template <class T>
void blend_all(cpu const& backend, blend_job<T> const& job, bool in_place) {
  const index n = job.images.rows, features = job.images.columns;
  constexpr index per_piece = index(262144 / sizeof(T));  // features per piece: two fit into L2
  const index pieces = (features + per_piece - 1) / per_piece;
  if (in_place)
    return for_chunks(backend, pieces, std::size_t(per_piece) * sizeof(T), [&](index c, std::byte* memory) {
      job.circles(c * per_piece, std::min(per_piece, features - c * per_piece), reinterpret_cast<T*>(memory));
    });
  const index stretch = std::max<index>(16, n / 8), stretches = (n + stretch - 1) / stretch;
  for_chunks(backend, pieces * stretches, std::size_t(job.block) * sizeof(T), [&](index c, std::byte* memory) {
    const index piece = c / stretches, from = c % stretches * stretch;
    job.rows(from, std::min(from + stretch, n), piece * per_piece, std::min(per_piece, features - piece * per_piece),
             reinterpret_cast<T*>(memory));
    stream_fence();
  });
}

}  // namespace on_cpu

/// Sets mixed[i] = λ[i]·images[i] + (1-λ[i])·images[partner[i]], or, if a box is drawn for row i, images[i] with
/// images[partner[i]] inside the box, in every channel. Views of n × features; with boxes, features =
/// channels · height · width. Bytes are rounded to the nearest, ties to even. A λ of 0 or 1, or a row that is its own
/// partner, copies; numbers of weight 0 may be NaN. Integers, such as masks of classes, are only copied: the draw must
/// have boxes, and no row may be blended. If the partners are a permutation, every image is read once, and mixed may be
/// the images themselves.
///
///     const auto draw = hone::mixup{.alpha = 0.2}.draw(seed, step, n);
///     hone::blend(cpu, draw, images, mixed);
///
/// Throws hone::invalid_argument, before anything is written, if sizes differ, a view is not valid memory, the views
/// overlap in part, the draw has an invalid λ, row or box, or it would blend integers.
template <class Draw, class In, class T>
void blend(cpu const& backend, Draw const& draw, matrix_view<In> images, matrix_view<T> mixed) {
  detail::require_blend_types<T, In, requires { draw.boxes; }>();
  const matrix_view<const T> from = images;
  detail::require_blend_views(from, mixed);
  detail::require_draw("blend", draw, from.rows);
  detail::require_only_copies<T>(draw);
  const detail::drawn_rows rows = detail::rows_of_draw(draw);
  if constexpr (requires { draw.boxes; }) detail::require_channels(from.columns, draw.height, draw.width);
  if (from.rows * from.columns == 0) return;
  const auto n = std::size_t(from.rows);
  const on_cpu::scratch<on_cpu::scratch_for::samples> room(on_cpu::arena::room_for<index>(n) + n);
  on_cpu::arena memory(room.data());
  index* const order = memory.take<index>(n);
  const bool in_place = from.data == mixed.data;
  if (!detail::follow_partners(rows.partner, from.rows, order, memory.take<std::uint8_t>(n)) && in_place)
    detail::fail_in_place(from.rows);
  const bool past_caches = !in_place && n * std::size_t(from.columns) * sizeof(T) >= on_cpu::streaming_from;
  on_cpu::blend_all<T>(backend, {rows, from, mixed, order, past_caches}, in_place);
}

}  // namespace hone::inline HONE_ABI

#include <hone/core/macros_pop.hpp>
