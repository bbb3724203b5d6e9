// SPDX-License-Identifier: MIT
/// Mixing samples on the CPU: a piece of all images at a time, each followed by its partner, so that it is read once.
#pragma once

#include <hone/cpu/run/backend.hpp>
#include <hone/cpu/samples/blend_numbers.hpp>

#include <algorithm>
#include <type_traits>

#include <hone/core/macros_push.hpp>

namespace hone::inline HONE_ABI {
namespace on_cpu {

/// Features [begin, begin + n) of all rows.
template <class T>
struct blend_job {
  static constexpr index block = 1024;  // numbers that go through scratch at once on their way past the caches
  static constexpr bool in_packs = element<T> && sizeof(T) > 2;

  detail::drawn_rows draw;
  matrix_view<const T> images;
  matrix_view<T> mixed;
  index const* order;
  bool past_caches;

  /// A row with another image, of which the pointers are to number `begin`.
  template <bool PastCaches = false>
  void row(index i, T const* own, T const* other, T* to, index begin, index n, T const* ahead) const noexcept {
    const float lambda = draw.lambda[i];
    if constexpr (!image_number<T>) {
      if (!draw.pastes(i)) return keep_numbers(lambda == 0 ? other : own, to, n);  // masks are never mixed up
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
  /// Whether all of a row is computed with, and in one type.
  bool mixes(index i) const noexcept {
    return in_packs && !draw.pastes(i) && draw.partner[i] != i && draw.lambda[i] != 0 && draw.lambda[i] != 1;
  }

  /// What is read from memory in the turn after place k: the row two places on, for the next one is the partner of
  /// this.
  T const* ahead_of(index k, index begin) const noexcept {
    return images.row(order[std::min(k + 2, images.rows - 1)]) + begin;
  }

  /// The rows at places [from, end) of the order, each with its partner.
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
  /// All rows in place: of every circle of partners the first is kept for the last.
  void circles(index begin, index n, T* kept) const noexcept {
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
      std::copy_n(at, n, kept);
      for (index next; (next = draw.partner[order[k]]) != first; ++k) {
        T* const other = mixed.row(next) + begin;
        row(order[k], at, other, at, begin, n, ahead_of(k, begin));
        at = other;
      }
      row(order[k], at, kept, at, begin, n, ahead_of(k, begin));
    }
  }
};

template <class T>
void blend_all(cpu const& backend, blend_job<T> const& job, bool in_place) {
  const index n = job.images.rows, features = job.images.columns;
  constexpr index most = index(262144 / sizeof(T));  // of a row at a time: two of them fit into L2, and few jumps
  const index pieces = (features + most - 1) / most;
  if (in_place)
    return for_chunks(backend, pieces, std::size_t(most) * sizeof(T), [&](index c, std::byte* memory) {
      job.circles(c * most, std::min(most, features - c * most), reinterpret_cast<T*>(memory));
    });
  const index stretch = std::max<index>(16, n / 8), stretches = (n + stretch - 1) / stretch;
  for_chunks(backend, pieces * stretches, std::size_t(job.block) * sizeof(T), [&](index c, std::byte* memory) {
    const index piece = c / stretches, from = c % stretches * stretch;
    job.rows(from, std::min(from + stretch, n), piece * most, std::min(most, features - piece * most),
             reinterpret_cast<T*>(memory));
    stream_fence();
  });
}

}  // namespace on_cpu

/// mixed[i] = λ[i]·images[i] + (1-λ[i])·images[partner[i]], or, where a box is drawn, images[i] with
/// images[partner[i]] inside the box, in every channel. Views of n × features; with boxes features =
/// channels · height · width. Bytes are rounded to even. A λ of 0 or 1 and a row that is its own partner copy: what
/// does not count may be NaN. Integers, such as masks of classes, are copied, by a draw with boxes: a row that would be
/// mixed up is refused. Every image is read once where partners are a permutation. mixed may be the images
/// themselves if they are.
///
///     const auto draw = hone::mixup{.alpha = 0.2}.draw(seed, step, n);
///     hone::blend(cpu, draw, images, mixed);
///
/// Throws hone::invalid_argument, before anything is written, where sizes differ, a view is no memory, the two views
/// overlap in part, or the draw holds what is no λ, row or box, or would mix integers up.
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
