// SPDX-License-Identifier: MIT
/// Mixing samples on the CPU: a piece of all images at a time, each followed by its partner, so that it is read once.
#pragma once

#include <hone/cpu/backend.hpp>
#include <hone/cpu/convert.hpp>
#include <hone/cpu/math.hpp>
#include <hone/cpu/stream.hpp>
#include <hone/sample/blend.hpp>

#include <algorithm>
#include <bit>
#include <cstring>
#include <type_traits>

namespace hone {
namespace on_cpu {

inline constexpr index blend_block = 1024;  // numbers that go through scratch at once

/// n numbers side by side; `to` may be one of the others.
template <class A>
void blend_numbers(A const* own, A const* other, A* to, index n, float lambda) noexcept {
  using V = pack<A>;
  const V l(lambda), r(A(1) - A(lambda));
  index i = 0;
  for (; i + V::size <= n; i += V::size) detail::blended(V::load(own + i), V::load(other + i), l, r).store(to + i);
  if (i == n) return;
  A first[V::size] = {}, second[V::size] = {};  // through a pack too: the bits do not depend on where a number lies
  std::copy(own + i, own + n, first);
  std::copy(other + i, other + n, second);
  detail::blended(V::load(first), V::load(second), l, r).store(first);
  std::copy(first, first + (n - i), to + i);
}

/// Bytes, in pieces of fixed size, for that is what -O2 vectorizes. Adding 1.5 · 2^52 rounds to even and leaves the
/// byte in the last bits.
inline void blend_numbers(std::uint8_t const* own, std::uint8_t const* other, std::uint8_t* to, index n,
                          float lambda) noexcept {
  constexpr index W = 64;
  const double l = lambda;
  for (index i = 0; i < n; i += W) {
    const auto size = static_cast<std::size_t>(std::min(W, n - i));
    std::uint8_t first[W] = {}, second[W] = {};
    std::memcpy(first, own + i, size);
    std::memcpy(second, other + i, size);
    for (index j = 0; j < W; ++j)
      first[j] = static_cast<std::uint8_t>(
          std::bit_cast<std::uint64_t>(detail::blended_bytes(first[j], second[j], l) + 0x1.8p52));
    std::memcpy(to + i, first, size);
  }
}

template <class T>
void blend_piece(T const* own, T const* other, T* to, index n, float lambda) noexcept {
  if (own == other || lambda == 1) {
    if (own != to) std::copy_n(own, n, to);
  } else if (lambda == 0) {
    std::copy_n(other, n, to);
  } else if constexpr (sizeof(T) != 2) {
    blend_numbers(own, other, to, n, lambda);
  } else {
    float first[blend_block], second[blend_block];
    for (index i = 0; i < n; i += blend_block) {
      const index m = std::min(blend_block, n - i);
      convert(own + i, first, m);
      convert(other + i, second, m);
      blend_numbers<float>(first, second, first, m, lambda);
      convert(first, to + i, m);
    }
  }
}

/// Features [begin, begin + n) of an image, with those of another inside the box; the pointers are to the first of
/// them.
template <class T>
void paste_piece(T const* own, T const* other, T* to, index begin, index n, pixel_box box, index height,
                 index width) noexcept {
  if (own != to) std::copy_n(own, n, to);
  if (own == other || box.area() == 0) return;
  for (index line = begin / width; line * width < begin + n; ++line) {
    const index y = line % height;
    if (y < box.y1 || y >= box.y2) continue;
    const index from = std::max(line * width + box.x1 - begin, index(0)),
                end = std::min(line * width + box.x2 - begin, n);
    if (from < end) std::copy_n(other + from, end - from, to + from);
  }
}

template <class T>
struct blend_job {
  detail::drawn_rows draw;
  matrix_view<const T> images;
  matrix_view<T> mixed;
  index const* order;
  bool in_place, past_caches;

  /// Features [begin, begin + n) of a row; `block` is where they pass through on their way past the caches.
  void row(index i, T const* other, index begin, index n, T* block) const noexcept {
    T const* const own = images.row(i) + begin;
    T* const to = mixed.row(i) + begin;
    if (!past_caches) return piece(i, own, other, to, begin, n);
    for (index at = 0; at < n; at += blend_block) {
      const index m = std::min(blend_block, n - at);
      piece(i, own + at, other + at, block, begin + at, m);
      stream_copy(static_cast<T const*>(block), to + at, m);
    }
  }
  void piece(index i, T const* own, T const* other, T* to, index begin, index n) const noexcept {
    if (draw.pastes(i))
      paste_piece(own, other, to, begin, n, draw.boxes[i], draw.height, draw.width);
    else
      blend_piece(own, other, to, n, draw.lambda[i]);
  }

  /// The same of the rows at places [from, end) of the order.
  void rows(index from, index end, index begin, index n, T* block) const noexcept {
    for (index k = from; k < end; ++k) row(order[k], images.row(draw.partner[order[k]]) + begin, begin, n, block);
  }
  /// The same of all rows in place: of every circle of partners the first is kept for the last.
  void circles(index begin, index n, T* kept) const noexcept {
    for (index k = 0; k < images.rows; ++k) {
      const index first = order[k];
      if (draw.partner[first] == first) continue;
      T* at = mixed.row(first) + begin;
      std::copy_n(at, n, kept);
      for (index next; (next = draw.partner[order[k]]) != first; ++k) {
        T* const other = mixed.row(next) + begin;
        piece(order[k], at, other, at, begin, n);
        at = other;
      }
      piece(order[k], at, kept, at, begin, n);
    }
  }
};

template <class T>
void blend_all(cpu const& backend, blend_job<T> const& job) {
  const index n = job.images.rows, features = job.images.columns;
  constexpr index most = index(262144 / sizeof(T));  // of a row at a time: two of them fit into L2, and few jumps
  const index pieces = (features + most - 1) / most;
  if (job.in_place)
    return for_chunks(backend, pieces, std::size_t(most) * sizeof(T), [&](index c, std::byte* memory) {
      job.circles(c * most, std::min(most, features - c * most), reinterpret_cast<T*>(memory));
    });
  const index stretch = std::max<index>(16, n / 8), stretches = (n + stretch - 1) / stretch;
  for_chunks(backend, pieces * stretches, std::size_t(blend_block) * sizeof(T), [&](index c, std::byte* memory) {
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
/// does not count may be NaN. Every image is read once where partners are a permutation. mixed may be the images
/// themselves if they are.
///
///     const auto draw = hone::mixup{.alpha = 0.2}.draw(seed, step, n);
///     hone::blend(cpu, draw, images, mixed);
///
/// Throws hone::invalid_argument, before anything is written, where sizes differ, a view is no memory, the two views
/// overlap in part, or the draw holds what is no λ, row or box.
template <class Draw, class In, class T>
void blend(cpu const& backend, Draw const& draw, matrix_view<In> images, matrix_view<T> mixed) {
  static_assert(image_number<T> && std::is_same_v<std::remove_const_t<In>, T>,
                "blend: images and mixed are of one type: float, double, half, bfloat16 or std::uint8_t");
  const matrix_view<const T> from = images;
  detail::require_blend_views(from, mixed);
  detail::require_draw("blend", draw, from.rows);
  const detail::drawn_rows rows = detail::rows_of_draw(draw);
  if constexpr (requires { draw.boxes; }) detail::require_channels(from.columns, draw.height, draw.width);
  if (from.rows * from.columns == 0) return;
  const auto n = std::size_t(from.rows);
  on_cpu::carver memory(on_cpu::scratch<on_cpu::scratch_for::samples>(on_cpu::carver::room_for<index>(n) + n));
  index* const order = memory.take<index>(n);
  const bool in_place = from.data == mixed.data;
  if (!detail::follow_partners(rows.partner, from.rows, order, memory.take<std::uint8_t>(n)) && in_place)
    detail::fail_in_place(from.rows);
  on_cpu::blend_all<T>(backend, {rows, from, mixed, order, in_place,
                                 !in_place && n * std::size_t(from.columns) * sizeof(T) >= on_cpu::streaming_from});
}

}  // namespace hone
