// SPDX-License-Identifier: MIT
/// How a list of gradients is cut into pieces for the threads where norms of units are wanted: a piece has whole units,
/// or a part of one. Every unit, or part of one, is a slot, in which its sums are left. All of it follows from the
/// sizes.
#pragma once

#include <hone/core/tensor_list.hpp>
#include <hone/cpu/tensors.hpp>

#include <algorithm>
#include <span>

namespace hone::on_cpu {

/// The units of a tensor: rows, or columns, of the matrix that it is.
struct tensor_units {
  index rows, columns;
  bool by_column;

  index count() const noexcept { return by_column ? columns : rows; }
};

class unit_cut {
 public:
  static constexpr index columns_per_piece = 256;

  /// units_of(i) are those of tensor i.
  template <class UnitsOf>
  unit_cut(std::size_t tensors, UnitsOf const& units_of)
      : tensors_(reinterpret_cast<entry*>(scratch<scratch_for::tensors>((tensors + 1) * sizeof(entry))), tensors + 1) {
    entry next{};
    for (std::size_t i = 0; i < tensors; ++i) {
      next.units = units_of(i);
      auto const& [rows, columns, by_column] = next.units;
      next.parts = next.per_piece = 1;
      index pieces;
      if (by_column) {
        next.per_piece = columns_per_piece;
        pieces = rows > 0 ? (columns + columns_per_piece - 1) / columns_per_piece : 0;
      } else if (columns > piece_elements) {
        next.parts = (columns + piece_elements - 1) / piece_elements;
        pieces = rows * next.parts;
      } else {
        next.per_piece = piece_elements / std::max<index>(columns, 1);
        pieces = columns > 0 ? (rows + next.per_piece - 1) / next.per_piece : 0;
      }
      tensors_[i] = next;
      next.first_piece += pieces;
      next.first_unit += next.units.count();
      next.first_slot += next.units.count() * next.parts;
    }
    tensors_[tensors] = next;
  }

  std::size_t tensors() const noexcept { return tensors_.size() - 1; }
  index pieces() const noexcept { return tensors_.back().first_piece; }
  index units() const noexcept { return tensors_.back().first_unit; }
  index slots() const noexcept { return tensors_.back().first_slot; }

  /// The units of tensor i are [first_unit(i), first_unit(i + 1)), each of parts(i) slots side by side.
  index first_unit(std::size_t i) const noexcept { return tensors_[i].first_unit; }
  index first_slot(std::size_t i) const noexcept { return tensors_[i].first_slot; }
  index parts(std::size_t i) const noexcept { return tensors_[i].parts; }

  std::size_t tensor_of(index piece) const noexcept {
    const auto next = std::upper_bound(tensors_.begin(), tensors_.end(), piece,
                                       [](index p, entry const& e) { return p < e.first_piece; });
    return static_cast<std::size_t>(next - tensors_.begin() - 1);
  }

  /// row(slot, unit, first number, how many) for each row or part of one in a piece, or else
  /// columns(first slot, first unit, first column, how many of all rows).
  template <class Row, class Columns>
  void visit(index piece, std::size_t i, Row const& row, Columns const& columns) const {
    entry const& t = tensors_[i];
    index k = piece - t.first_piece;
    if (t.units.by_column) {
      const index first = k * t.per_piece;
      columns(t.first_slot + first, t.first_unit + first, first, std::min(t.per_piece, t.units.columns - first));
    } else if (t.parts > 1) {
      const index begin = k % t.parts * piece_elements;
      row(t.first_slot + k, t.first_unit + k / t.parts, k / t.parts * t.units.columns + begin,
          std::min(piece_elements, t.units.columns - begin));
    } else {
      const index end = std::min((k + 1) * t.per_piece, t.units.rows);
      for (k *= t.per_piece; k < end; ++k)
        row(t.first_slot + k, t.first_unit + k, k * t.units.columns, t.units.columns);
    }
  }

 private:
  struct entry {
    tensor_units units;
    index parts, per_piece;  // of a unit; units of a piece
    index first_piece, first_unit, first_slot;
  };

  std::span<entry> tensors_;
};

}  // namespace hone::on_cpu
