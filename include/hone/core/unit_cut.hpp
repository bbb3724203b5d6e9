// SPDX-License-Identifier: MIT
/// Cuts the tensors of a list into pieces for threads or blocks: a piece has several full units, or a part of one unit.
/// Every unit, or part of a unit, has a slot that stores its sums. The cut depends on the sizes alone, and on the size
/// of a piece, which every backend chooses.
#pragma once

#include <hone/core/config.hpp>
#include <hone/core/number.hpp>

#include <cstddef>

#include <hone/core/macros_push.hpp>

namespace hone::inline HONE_ABI::detail {

/// The units of a tensor: the rows or the columns of its matrix.
struct tensor_units {
  index rows, columns;
  bool by_column;

  HONE_HD constexpr index count() const noexcept { return by_column ? columns : rows; }
};

inline constexpr index piece_elements = 32768, columns_per_piece = 256;  // of the CPU

HONE_HD constexpr index smaller(index a, index b) noexcept { return b < a ? b : a; }
constexpr index quotient_up(index a, index b) noexcept { return (a + b - 1) / b; }

/// The pieces, units and slots of one tensor.
struct unit_cut {
  tensor_units units{};
  index parts = 1, per_piece = 1;  // parts of a unit; units of a piece
  index first_piece = 0, first_unit = 0, first_slot = 0;

  /// Calls row(slot, unit, first number, count) for each row, or part of a row, in a piece; or, for units by column,
  /// columns(first slot, first unit, first column, count), which covers all rows. Piece: the numbers of a piece.
  HONE_NO_EXEC_CHECK template <index Piece = piece_elements, class Row, class Columns>
  HONE_HD void visit(index piece, Row const& row, Columns const& columns) const {
    index k = piece - first_piece;
    if (units.by_column) {
      const index first = k * per_piece;
      columns(first_slot + first, first_unit + first, first, smaller(per_piece, units.columns - first));
    } else if (parts > 1) {
      const index unit = k < parts ? 0 : k / parts, begin = (k - unit * parts) * Piece;  // GPUs divide slowly
      row(first_slot + k, first_unit + unit, unit * units.columns + begin, smaller(Piece, units.columns - begin));
    } else {
      const index end = smaller((k + 1) * per_piece, units.rows);
      for (k *= per_piece; k < end; ++k) row(first_slot + k, first_unit + k, k * units.columns, units.columns);
    }
  }
};

/// Fills cuts[0 … tensors]; the last entry holds the totals. units_of(i) returns the units of tensor i.
template <index Piece = piece_elements, class UnitsOf>
void cut_units(unit_cut* cuts, std::size_t tensors, UnitsOf const& units_of) {
  unit_cut next;
  for (std::size_t i = 0; i < tensors; ++i) {
    next.units = units_of(i);
    if (next.units.rows == 0 || next.units.columns == 0) next.units = {0, 0, false};
    auto const& [rows, columns, by_column] = next.units;
    next.parts = next.per_piece = 1;
    index pieces = 0;
    if (by_column) {
      next.per_piece = columns_per_piece;
      pieces = quotient_up(columns, columns_per_piece);
    } else if (columns > Piece) {
      next.parts = quotient_up(columns, Piece);
      pieces = rows * next.parts;
    } else if (columns > 0) {
      next.per_piece = Piece / columns;
      pieces = quotient_up(rows, next.per_piece);
    }
    cuts[i] = next;
    next.first_piece += pieces;
    next.first_unit += next.units.count();
    next.first_slot += next.units.count() * next.parts;
  }
  cuts[tensors] = next;
}

}  // namespace hone::inline HONE_ABI::detail

#include <hone/core/macros_pop.hpp>
