// SPDX-License-Identifier: MIT
/// How rows of a view become packs and come back.
///
/// A group is either one row, whose classes fill the lanes of consecutive packs ("wide"), or one row per lane,
/// with a pack per class ("tall"): for few classes, and for images, where neighbouring pixels lie side by
/// side. Everything between load and store is the same for both.
#pragma once

#include <hone/core/view.hpp>
#include <hone/cpu/memory/convert.hpp>
#include <hone/cpu/simd/pack.hpp>

#include <algorithm>

#include <hone/core/macros_push.hpp>

namespace hone::inline HONE_ABI::on_cpu {

struct group {
  index row = 0;  ///< the first
  int rows = 1;   ///< 1 if wide; at most the lanes of a pack if tall
  bool tall = false;

  /// Where class c of the group's row `lane` lies among the numbers of the group.
  template <class A>
  index position(index c, int lane) const noexcept {
    return tall ? c * pack<A>::size + lane : c;
  }
};

/// The packs that a group of this many classes takes.
template <class A>
constexpr index packs_of(bool tall, index columns) noexcept {
  return tall ? columns : (columns + pack<A>::size - 1) / pack<A>::size;
}

/// One number per lane where a group is tall; the first for all lanes where it is one row.
template <class A>
pack<A> packed(bool tall, A const (&lanes)[pack<A>::size]) noexcept {
  return tall ? pack<A>::load(lanes) : pack<A>(lanes[0]);
}

/// From this many columns on a row fills packs by itself.
template <class A>
inline constexpr index wide_from = 4 * pack<A>::size + 1;

template <class T>
bool is_tall(matrix_view<T> v) noexcept {
  return v.columns < wide_from<accumulator_t<T>>;
}
template <class T>
bool is_tall(image_view<T>) noexcept {
  return true;
}

/// The group that begins at a row and ends before `end`.
template <class T>
group group_at(matrix_view<T> v, index row, index end) noexcept {
  const bool tall = is_tall(v);
  return {row, tall ? static_cast<int>(std::min<index>(pack<accumulator_t<T>>::size, end - row)) : 1, tall};
}
template <class T>
group group_at(image_view<T> v, index row, index end) noexcept {
  const index same_image = v.pixels - row % v.pixels;
  return {row, static_cast<int>(std::min({index(pack<accumulator_t<T>>::size), end - row, same_image})), true};
}

/// Element (row, column), and the step to the next row where rows lie side by side.
template <class T>
T* address(matrix_view<T> v, index row, index column) noexcept {
  return v.data + row * v.row_stride + column;
}
template <class T>
T* address(image_view<T> v, index row, index column) noexcept {
  return v.data + (row / v.pixels * v.channels + column) * v.pixels + row % v.pixels;
}

/// Where the row after a wide one lies, for prefetching: hardware looks no further than a page, and stops while the
/// numbers of a row are computed with.
class next_row {
 public:
  next_row() noexcept = default;
  /// Of nothing where rows are tall, or no row follows in the caller's chunk.
  template <class T>
  next_row(matrix_view<T> v, group g, bool more) noexcept
      : at_(more && !g.tall ? reinterpret_cast<char const*>(v.row(g.row) + v.row_stride) : nullptr), step_(sizeof(T)) {}
  template <class T>
  next_row(image_view<T>, group, bool) noexcept {}

  void prefetch(index i) const noexcept {
    if (at_) packets::prefetch(at_ + i * step_);
  }

 private:
  char const* at_ = nullptr;
  index step_ = 0;
};

/// Rows of fewer than W columns, or too few rows: number by number. Lanes without a row repeat the first.
template <class A, class View>
void load_singly(View v, group g, A* to, index columns) noexcept {
  for (int lane = 0; lane < (g.tall ? pack<A>::size : 1); ++lane) {
    const index row = g.row + (lane < g.rows ? lane : 0);
    for (index c = 0; c < columns; ++c) to[g.position<A>(c, lane)] = static_cast<A>(*address(v, row, c));
  }
}
template <class A, class View>
void store_singly(View v, group g, A const* from, index columns) noexcept {
  constexpr int W = pack<A>::size;
  for (int lane = 0; lane < g.rows; ++lane)
    for (index c = 0; c < columns; ++c)
      *address(v, g.row + lane, c) =
          detail::narrowed<std::remove_reference_t<decltype(*address(v, 0, 0))>>(from[c * W + lane]);
}

#if defined(__GNUC__) && !defined(__clang__)
#pragma GCC diagnostic push
#pragma GCC diagnostic ignored "-Wignored-attributes"  // a register type as a template argument
#endif
/// As many registers of A as one has lanes.
template <class A>
using square_of = packets::PacketBlock<typename pack<A>::packet, pack<A>::size>;
#if defined(__GNUC__) && !defined(__clang__)
#pragma GCC diagnostic pop
#endif

/// W x W numbers, rows of one stride becoming columns of another.
HONE_AVX512_BEGIN
template <class A>
[[gnu::flatten]] void transpose(A const* from, index from_stride, A* to, index to_stride) noexcept {
  constexpr int W = pack<A>::size;
  if constexpr (W == 1) {
    *to = *from;
  } else {
    square_of<A> block;
    for (int i = 0; i < W; ++i) block.packet[i] = pack<A>::load(from + i * from_stride).v;
    packets::ptranspose(block);
    for (int i = 0; i < W; ++i) pack<A>::of(block.packet[i]).store(to + i * to_stride);
  }
}
HONE_AVX512_END

/// The group's numbers as packs. Wide rows of whole packs are read where they lie; all else goes through `to`,
/// where the last pack of a wide row is filled up with `padding`.
template <class A, class T>
A const* load(matrix_view<T> v, group g, A* to, A padding) noexcept {
  constexpr int W = pack<A>::size;
  const index K = v.columns;
  constexpr bool same = std::is_same_v<std::remove_const_t<T>, A>;
  if (!g.tall) {
    T const* row = v.row(g.row);
    if constexpr (same)
      if (K % W == 0) return row;
    convert(row, to, K);
    std::fill(to + K, to + packs_of<A>(false, K) * W, padding);
  } else if (same && g.rows == W && K >= W) {
    if constexpr (same) {
      for (index c = 0; c + W <= K; c += W) transpose(v.row(g.row) + c, v.row_stride, to + c * W, W);
      if (K % W != 0) transpose(v.row(g.row) + K - W, v.row_stride, to + (K - W) * W, W);  // overlaps the last
    }
  } else {
    load_singly(v, g, to, K);
  }
  return to;
}
template <class A, class T>
A const* load(image_view<T> v, group g, A* to, A padding) noexcept {
  constexpr int W = pack<A>::size;
  if (!g.tall || g.rows < W || g.row % v.pixels + W > v.pixels) {  // a matrix may have an image beside it
    load_singly(v, g, to, v.channels);
    if (!g.tall) std::fill(to + v.channels, to + packs_of<A>(false, v.channels) * W, padding);
  } else {
    T const* from = address(v, g.row, 0);
    for (index c = 0; c < v.channels; ++c) convert(from + c * v.pixels, to + c * W, W);
  }
  return to;
}

/// The way back. A wide row of whole packs may have been written in place (see target_of), and is left alone.
template <class A, class T>
void store(matrix_view<T> v, group g, A const* from) noexcept {
  constexpr int W = pack<A>::size;
  const index K = v.columns;
  constexpr bool same = std::is_same_v<T, A>;
  if (!g.tall) {
    if constexpr (same)
      if (from == v.row(g.row)) return;
    convert(from, v.row(g.row), K);
  } else if (same && g.rows == W && K >= W) {
    if constexpr (same) {
      for (index c = 0; c + W <= K; c += W) transpose(from + c * W, W, v.row(g.row) + c, v.row_stride);
      if (K % W != 0) transpose(from + (K - W) * W, W, v.row(g.row) + K - W, v.row_stride);
    }
  } else {
    store_singly(v, g, from, K);
  }
}
template <class A, class T>
void store(image_view<T> v, group g, A const* from) noexcept {
  constexpr int W = pack<A>::size;
  if (g.rows < W) {
    store_singly(v, g, from, v.channels);
  } else {
    T* to = address(v, g.row, 0);
    for (index c = 0; c < v.channels; ++c) convert(from + c * W, to + c * v.pixels, W);
  }
}

/// Where the last sweep may write the group's gradient at once; nullptr where it must go through scratch.
template <class A, class T>
A* target_of(matrix_view<T> v, group g) noexcept {
  if constexpr (std::is_same_v<T, A>)
    if (!g.tall && v.columns % pack<A>::size == 0) return v.row(g.row);
  return nullptr;
}
template <class A, class T>
A* target_of(image_view<T>, group) noexcept {
  return nullptr;
}

/// Zeros for one row.
template <class View>
void clear_row(View v, index row, index columns) noexcept {
  using T = detail::number_of<View>;
  for (index c = 0; c < columns; ++c) *address(v, row, c) = static_cast<T>(0.0f);
}

}  // namespace hone::inline HONE_ABI::on_cpu

#include <hone/core/macros_pop.hpp>
