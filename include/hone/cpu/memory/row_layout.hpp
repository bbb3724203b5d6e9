// SPDX-License-Identifier: MIT
/// Converts rows of a view to packs and back.
///
/// A group is either one row, whose classes fill the lanes of consecutive packs ("wide"), or one row per lane,
/// with one pack per class ("tall"). Tall groups are used for few classes, and for images, whose neighbouring pixels
/// are adjacent in memory. All code between load and store is the same for both.
#pragma once

#include <hone/core/view.hpp>
#include <hone/cpu/memory/convert.hpp>
#include <hone/cpu/simd/pack.hpp>

#include <algorithm>

#include <hone/core/macros_push.hpp>

namespace hone::inline HONE_ABI::on_cpu {

struct group {
  index row = 0;  ///< the first row
  int rows = 1;   ///< 1 if wide; at most the lanes of a pack if tall
  bool tall = false;

  /// Returns the position of class c of the group's row `lane` in the numbers of the group.
  template <class A>
  index position(index c, int lane) const noexcept {
    return tall ? c * pack<A>::size + lane : c;
  }
};

/// Returns the number of packs in a group with this many classes.
template <class A>
constexpr index packs_of(bool tall, index columns) noexcept {
  return tall ? columns : (columns + pack<A>::size - 1) / pack<A>::size;
}

/// Returns one number per lane for a tall group; lanes[0] in all lanes for a wide one.
template <class A>
pack<A> packed(bool tall, A const (&lanes)[pack<A>::size]) noexcept {
  return tall ? pack<A>::load(lanes) : pack<A>(lanes[0]);
}

/// The smallest number of columns of a wide matrix, whose rows fill packs well.
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

/// Returns the group that starts at `row` and ends at or before `end`.
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

/// Returns the address of element (row, column).
template <class T>
T* address(matrix_view<T> v, index row, index column) noexcept {
  return v.data + row * v.row_stride + column;
}
template <class T>
T* address(image_view<T> v, index row, index column) noexcept {
  return v.data + (row / v.pixels * v.channels + column) * v.pixels + row % v.pixels;
}

/// The row after a wide one, for prefetching: hardware prefetches only within a page, and stops during the computation
/// on a row.
class next_row {
 public:
  next_row() noexcept = default;
  /// Prefetches nothing if the group is tall or `more` is false: no row follows in the caller's chunk.
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

/// Copies single numbers, for groups with fewer than W columns or rows. Lanes without a row repeat the first row.
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
/// A square of registers of A: as many registers as one register has lanes.
template <class A>
using square_of = packets::PacketBlock<typename pack<A>::packet, pack<A>::size>;
#if defined(__GNUC__) && !defined(__clang__)
#pragma GCC diagnostic pop
#endif

/// Transposes W x W numbers, whose rows have the strides from_stride and to_stride.
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

/// Returns the group's numbers as packs. Wide rows of full packs are read in place; all others are copied to `to`, and
/// the last pack of a wide row is padded with `padding`.
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
      if (K % W != 0) transpose(v.row(g.row) + K - W, v.row_stride, to + (K - W) * W, W);  // overlaps the last one
    }
  } else {
    load_singly(v, g, to, K);
  }
  return to;
}
template <class A, class T>
A const* load(image_view<T> v, group g, A* to, A padding) noexcept {
  constexpr int W = pack<A>::size;
  if (!g.tall || g.rows < W || g.row % v.pixels + W > v.pixels) {  // a matrix may be combined with an image
    load_singly(v, g, to, v.channels);
    if (!g.tall) std::fill(to + v.channels, to + packs_of<A>(false, v.channels) * W, padding);
  } else {
    T const* from = address(v, g.row, 0);
    for (index c = 0; c < v.channels; ++c) convert(from + c * v.pixels, to + c * W, W);
  }
  return to;
}

/// Copies packs back to the view. Does nothing for a wide row of full packs that was written in place (see target_of).
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

/// Returns where the last sweep can write the group's gradient in place; nullptr if it must use scratch.
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

/// Sets a row to zeros.
template <class View>
void clear_row(View v, index row, index columns) noexcept {
  using T = detail::number_of<View>;
  for (index c = 0; c < columns; ++c) *address(v, row, c) = static_cast<T>(0.0f);
}

}  // namespace hone::inline HONE_ABI::on_cpu

#include <hone/core/macros_pop.hpp>
