// SPDX-License-Identifier: MIT
/// Products of large matrices, a tile at a time: blocks of the right factor are packed into the L2 cache. Every number
/// is one sum in the order of the depth, so its bits depend neither on tiles nor on threads; nothing is allocated.
#pragma once

#include <hone/core/view.hpp>
#include <hone/cpu/memory/convert.hpp>
#include <hone/cpu/simd/row_product.hpp>

#include <algorithm>

#include <hone/core/macros_push.hpp>

namespace hone::inline HONE_ABI::on_cpu {

/// The right factor of a product is read in blocks of at most product_tile x product_tile numbers.
inline constexpr index product_tile = 256;

/// The memory of a thread for products with `rows` rows of the left factor.
template <class A>
constexpr index numbers_of_product(index rows) noexcept {
  return product_tile * product_tile + rows * panel_columns<A> + product_tile;
}

/// A block of the right factor b: columns [column, column + columns) of the matrix `from`, or of its transpose.
template <class T>
struct packed_block {
  matrix_view<const T> from;
  index column, columns;
  bool transposed = false;

  /// Stores b[l][j] for l in [begin, begin + depth) as panels: panel_columns<A> columns after the other, rows of which
  /// are contiguous. `line` is memory for `depth` numbers.
  template <class A>
  void pack(index begin, index depth, A* to, [[maybe_unused]] A* line) const noexcept {
    constexpr index P = panel_columns<A>;
    for (index j = 0; j < columns; j += P, to += depth * P) {
      const index n = std::min(P, columns - j);
      if (n < P) std::fill_n(to, depth * P, A(0));
      if (transposed)
        for (index k = 0; k < n; ++k) {
          const A* x = in_arithmetic(from.row(column + j + k) + begin, line, depth);
          for (index l = 0; l < depth; ++l) to[l * P + k] = x[l];
        }
      else
        for (index l = 0; l < depth; ++l) convert(from.row(begin + l) + column + j, to + l * P, n);
    }
  }

 private:
  template <class A>
  static A const* in_arithmetic(T const* x, A* line, index n) noexcept {
    if constexpr (std::is_same_v<T, A>) {
      return x;
    } else {
      convert(x, line, n);
      return line;
    }
  }
};

/// to[i][j] (+)= Σ over l < depth of a(i, l) · b[l][j], for `rows` rows and the columns of a block, at most
/// product_tile. `to` has contiguous rows, to_row apart. `memory` is of numbers_of_product<A>(rows).
template <class A, class T>
void multiply_packed(strided_matrix<A> a, index rows, index depth, packed_block<T> const& b, A* to, index to_row,
                     bool add, A* memory) noexcept {
  constexpr index P = panel_columns<A>;
  A *const edge = memory + product_tile * product_tile, *const line = edge + rows * P;
  if (depth == 0 && !add)
    for (index i = 0; i < rows; ++i) std::fill_n(to + i * to_row, b.columns, A(0));
  for (index begin = 0; begin < depth; begin += product_tile, add = true) {
    const index n = std::min(product_tile, depth - begin);
    b.pack(begin, n, memory, line);
    const strided_matrix<A> left{a.data + begin * a.column, a.row, a.column};
    for (index j = 0; j < b.columns; j += P) {
      A const* const panel = memory + j * n;
      if (const index wide = b.columns - j; wide >= P) {
        multiply_panel(left, rows, panel, P, n, to + j, to_row, add);
      } else {
        for (index i = 0; add && i < rows; ++i) std::copy_n(to + i * to_row + j, wide, edge + i * P);
        multiply_panel(left, rows, panel, P, n, edge, P, add);
        for (index i = 0; i < rows; ++i) std::copy_n(edge + i * P, wide, to + i * to_row + j);
      }
    }
  }
}

}  // namespace hone::inline HONE_ABI::on_cpu

#include <hone/core/macros_pop.hpp>
