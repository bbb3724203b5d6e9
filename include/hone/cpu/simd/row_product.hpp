// SPDX-License-Identifier: MIT
/// Products of small matrices in the caches. Every number is one sum in the order of the depth, so its bits depend
/// neither on how the matrices are cut nor on the caches; nothing is allocated and no thread is started.
#pragma once

#include <hone/core/number.hpp>
#include <hone/cpu/simd/pack.hpp>
#include <hone/cpu/simd/transpose.hpp>

#include <cstddef>

#include <hone/core/macros_push.hpp>

namespace hone::inline HONE_ABI::on_cpu {

/// Columns of a panel: two packs.
template <class A>
inline constexpr index panel_columns = index(2) * pack<A>::size;

/// Rows whose sums are in registers at once: as many as there are registers for.
#if defined(__AVX512F__) || defined(__aarch64__)
inline constexpr int product_rows = 8;
#else
inline constexpr int product_rows = 6;
#endif

template <class A>
constexpr index whole_panels(index columns) noexcept {
  return (columns + panel_columns<A> - 1) / panel_columns<A> * panel_columns<A>;
}

/// A matrix whose numbers are anywhere: number (i, l) is at data + i · row + l · column.
template <class A>
struct strided_matrix {
  A const* data;
  index row, column;
};

/// to[i][j] (+)= Σ over l < depth of a(i, l) · b[l][j] for Rows rows and the columns of one panel. b and to have
/// contiguous rows, b_row and to_row apart.
template <int Rows, class A>
void panel_rows(strided_matrix<A> a, A const* b, index b_row, index depth, A* to, index to_row, bool add) noexcept {
  using V = pack<A>;
  constexpr index W = V::size;
  V sums[std::size_t(Rows)][2];
  unrolled<Rows>([&](int i) HONE_INLINE_LAMBDA {
    sums[i][0] = add ? V::load(to + i * to_row) : V(0);
    sums[i][1] = add ? V::load(to + i * to_row + W) : V(0);
  });
  for (index l = 0; l < depth; ++l) {
    const V left = V::load(b), right = V::load(b + W);
    unrolled<Rows>([&](int i) HONE_INLINE_LAMBDA {
      const V x(a.data[i * a.row]);
      sums[i][0] = fma(x, left, sums[i][0]);
      sums[i][1] = fma(x, right, sums[i][1]);
    });
    a.data += a.column;
    b += b_row;
  }
  unrolled<Rows>([&](int i) HONE_INLINE_LAMBDA {
    sums[i][0].store(to + i * to_row);
    sums[i][1].store(to + i * to_row + W);
  });
}

/// The same for any number of rows.
template <int Rows = product_rows, class A>
void multiply_panel(strided_matrix<A> a, index rows, A const* b, index b_row, index depth, A* to, index to_row,
                    bool add) noexcept {
  index i = 0;
  for (; i + Rows <= rows; i += Rows)
    panel_rows<Rows>({a.data + i * a.row, a.row, a.column}, b, b_row, depth, to + i * to_row, to_row, add);
  if constexpr (Rows > 1)
    if (i < rows)
      multiply_panel<Rows / 2>({a.data + i * a.row, a.row, a.column}, rows - i, b, b_row, depth, to + i * to_row,
                               to_row, add);
}

}  // namespace hone::inline HONE_ABI::on_cpu

#include <hone/core/macros_pop.hpp>
