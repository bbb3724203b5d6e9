// SPDX-License-Identifier: MIT
/// Converts rows of a view to packs and back.
///
/// A group is either one row, whose classes fill the lanes of consecutive packs ("wide"), or one row per lane,
/// with one pack per class ("tall"). Tall groups are used for few classes, and for images, whose neighbouring pixels
/// are adjacent in memory. All code between load and store is the same for both.
#pragma once

#include <hone/core/view.hpp>
#include <hone/cpu/memory/convert.hpp>
#include <hone/cpu/memory/transposed_rows.hpp>

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

/// Returns the class of position i in the numbers of a tall group. (A signed division would take four instructions.)
template <class A>
index column_of(index i) noexcept {
  return static_cast<index>(static_cast<std::size_t>(i) / std::size_t(pack<A>::size));
}

/// Returns the number of packs in a group with this many classes.
template <class A>
constexpr index packs_of(bool tall, index columns) noexcept {
  return tall ? columns : (columns + pack<A>::size - 1) / pack<A>::size;
}

/// How many numbers a group has, without padding, and how many of them are in full packs.
template <class A>
struct group_extent {
  index numbers, full;

  group_extent(bool tall, index columns) noexcept
      : numbers(tall ? columns * pack<A>::size : columns),
        full(tall ? numbers : columns / pack<A>::size * pack<A>::size) {}
};

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
  /// If the group is tall or `more` is false (no row follows in the caller's chunk), prefetches one line again and
  /// again, which costs less than a branch.
  template <class T>
  next_row(matrix_view<T> v, group g, bool more) noexcept
      : at_(reinterpret_cast<char const*>(v.row(g.row) + v.row_stride)), step_(more && !g.tall ? sizeof(T) : 0) {}
  template <class T>
  next_row(image_view<T>, group, bool) noexcept {}

  /// Always inline: g++ removes calls of functions whose only effect is a prefetch.
  HONE_INLINE void prefetch(index i) const noexcept {
#if defined(__GNUC__)
    __builtin_prefetch(at_ + i * step_);
#else
    packets::prefetch(at_ + i * step_);
#endif
  }

 private:
  char const* at_ = nullptr;  // prefetching it is harmless
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

/// The numbers of a group as packs. A wide row of the type of the arithmetic is read in place, but for its last pack if
/// its classes do not fill it: this one, padded, and all other groups are in a strip.
template <class A>
struct group_numbers {
  A const *full, *strip;  // the full packs, and the strip with the last pack; equal if the whole group is in the strip

  /// Returns the address of the numbers of a stretch minus its position.
  A const* of(bool last) const noexcept { return last ? strip : full; }
};
template <class A>
struct group_output {
  A *full, *strip;

  A* of(bool last) const noexcept { return last ? strip : full; }
};

/// A loop over the packs of a group in stretches, `for (row_stretch<A> s(extent); s.next();)`: of at most 64 full
/// packs, or the last pack alone if classes do not fill it. Sums are accumulated over a stretch first, because one
/// accumulator over a row of 100,000 classes would lose four digits.
template <class A>
class row_stretch {
 public:
  index begin = 0, end = 0;  ///< positions in the numbers of the group

  explicit row_stretch(group_extent<A> extent) noexcept : extent_(extent) {}

  bool next() noexcept {
    begin = end;
    if (begin >= extent_.numbers) return false;
    end = last() ? extent_.numbers : std::min(begin + 64 * pack<A>::size, extent_.full);
    return true;
  }
  /// Returns true if the stretch is the last pack and has lanes without a class.
  bool last() const noexcept { return begin >= extent_.full; }

 private:
  group_extent<A> extent_;
};

/// Copies the last pack of a row to its place in a strip, and pads it. Without masked moves copies whole packs, also of
/// some numbers before it, which is faster than single numbers.
template <class A>
void copy_last_pack(A const* row, group_extent<A> extent, A* strip, A padding) noexcept {
  constexpr index W = pack<A>::size;
  const auto [numbers, full] = extent;
  if (full == numbers) return;
  if constexpr (has_masked_moves<A>) {
    load_first(row + full, numbers - full, padding).store(strip + full);
  } else {
    pack<A>(padding).store(strip + full);
    pack<A>::load(row + numbers - W).store(strip + numbers - W);
  }
}
/// Copies the last pack of a strip to its place in a row, whose full packs are complete.
template <class A>
void store_last_pack(A* strip, A* row, group_extent<A> extent) noexcept {
  constexpr index W = pack<A>::size;
  const auto [numbers, full] = extent;
  if (full == numbers) return;
  if constexpr (has_masked_moves<A>) {
    store_first(pack<A>::load(strip + full), row + full, numbers - full);
  } else {
    pack<A>::load(row + full - W).store(strip + full - W);
    pack<A>::load(strip + numbers - W).store(row + numbers - W);
  }
}

/// Returns the group's numbers, in place or copied to the strip. The last pack of a wide row is padded with `padding`.
template <class A, class T>
group_numbers<A> read(matrix_view<T> v, group g, A* strip, A padding) noexcept {
  constexpr int W = pack<A>::size;
  const index K = v.columns;
  constexpr bool same = std::is_same_v<std::remove_const_t<T>, A>;
  if (!g.tall) {
    T const* row = v.row(g.row);
    if constexpr (same) {
      copy_last_pack(row, group_extent<A>(false, K), strip, padding);
      return {row, strip};
    } else {
      convert(row, strip, K);
      std::fill(strip + K, strip + packs_of<A>(false, K) * W, padding);
    }
  } else if (same && g.rows == W && K >= W) {
    if constexpr (same) {
      for (index c = 0; c + W <= K; c += W) transpose(v.row(g.row) + c, v.row_stride, strip + c * W, W);
      if (K % W != 0) transpose(v.row(g.row) + K - W, v.row_stride, strip + (K - W) * W, W);  // overlaps the last one
    }
  } else if (same && g.rows == W && K > 1) {
    if constexpr (same) transpose_short_rows(v.row(g.row), v.row_stride, K, strip);
  } else {
    load_singly(v, g, strip, K);
  }
  return {strip, strip};
}
template <class A, class T>
group_numbers<A> read(image_view<T> v, group g, A* strip, A padding) noexcept {
  constexpr int W = pack<A>::size;
  if (!g.tall || g.rows < W || g.row % v.pixels + W > v.pixels) {  // a matrix may be combined with an image
    load_singly(v, g, strip, v.channels);
    if (!g.tall) std::fill(strip + v.channels, strip + packs_of<A>(false, v.channels) * W, padding);
  } else {
    T const* from = address(v, g.row, 0);
    for (index c = 0; c < v.channels; ++c) convert(from + c * v.pixels, strip + c * W, W);
  }
  return {strip, strip};
}

/// Returns where the last sweep writes the group's gradient: in place if possible, and to the strip.
template <class A, class T>
group_output<A> output_of(matrix_view<T> v, group g, A* strip) noexcept {
  if constexpr (std::is_same_v<T, A>)
    if (!g.tall) return {v.row(g.row), strip};
  return {strip, strip};
}
template <class A, class T>
group_output<A> output_of(image_view<T>, group, A* strip) noexcept {
  return {strip, strip};
}

/// Copies what output_of sent to the strip to the view.
template <class A, class T>
void store(matrix_view<T> v, group g, group_output<A> from) noexcept {
  constexpr int W = pack<A>::size;
  const index K = v.columns;
  constexpr bool same = std::is_same_v<T, A>;
  if (!g.tall) {
    if constexpr (same)
      if (from.full != from.strip) return store_last_pack(from.strip, v.row(g.row), group_extent<A>(false, K));
    convert(from.strip, v.row(g.row), K);
  } else if (same && g.rows == W && K >= W) {
    if constexpr (same) {
      for (index c = 0; c + W <= K; c += W) transpose(from.strip + c * W, W, v.row(g.row) + c, v.row_stride);
      if (K % W != 0) transpose(from.strip + (K - W) * W, W, v.row(g.row) + K - W, v.row_stride);
    }
  } else if (same && g.rows == W && K > 1) {
    if constexpr (same) transpose_to_short_rows<A>(from.strip, v.row(g.row), v.row_stride, K);
  } else {
    store_singly(v, g, from.strip, K);
  }
}
template <class A, class T>
void store(image_view<T> v, group g, group_output<A> from) noexcept {
  constexpr int W = pack<A>::size;
  if (g.rows < W) {
    store_singly(v, g, from.strip, v.channels);
  } else {
    T* to = address(v, g.row, 0);
    for (index c = 0; c < v.channels; ++c) convert(from.strip + c * W, to + c * v.pixels, W);
  }
}

/// Sets a row to zeros.
template <class View>
void clear_row(View v, index row, index columns) noexcept {
  using T = detail::number_of<View>;
  for (index c = 0; c < columns; ++c) *address(v, row, c) = static_cast<T>(0.0f);
}

}  // namespace hone::inline HONE_ABI::on_cpu

#include <hone/core/macros_pop.hpp>
