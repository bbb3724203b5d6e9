// SPDX-License-Identifier: MIT
#include <hone/core/unit_cut.hpp>

#include <doctest/doctest.h>

#include <algorithm>
#include <limits>
#include <vector>

namespace detail = hone::detail;
using detail::tensor_units;
using hone::index;

namespace {

std::vector<detail::unit_cut> cut(std::vector<tensor_units> const& tensors) {
  std::vector<detail::unit_cut> cuts(tensors.size() + 1);
  detail::cut_units(cuts.data(), tensors.size(), [&](std::size_t i) { return tensors[i]; });
  return cuts;
}

/// Visits every piece and asks of what it hears whether it is a cut: each number once, in the slot of its unit.
void check(std::vector<tensor_units> const& tensors) {
  const auto cuts = cut(tensors);
  index slots = 0, units = 0;
  for (std::size_t i = 0; i < tensors.size(); ++i) {
    CAPTURE(i);
    const index rows = tensors[i].rows, columns = tensors[i].columns;
    const bool by_column = tensors[i].by_column;
    std::vector<int> met(static_cast<std::size_t>(rows * columns));
    CHECK(cuts[i].first_slot == slots);
    CHECK(cuts[i].first_unit == units);
    index wrong = 0, next = slots;
    for (index piece = cuts[i].first_piece; piece < cuts[i + 1].first_piece; ++piece) {
      index numbers = 0;
      cuts[i].visit(
          piece,
          [&](index slot, index unit, index first, index n) {
            wrong += slot != next++ || by_column || n < 1;
            wrong += unit != cuts[i].first_unit + first / columns || (first + n - 1) / columns != first / columns;
            wrong += slot != cuts[i].first_slot + (unit - cuts[i].first_unit) * cuts[i].parts +
                                 first % columns / detail::piece_elements;
            numbers += n;
            for (index j = first; j < first + n; ++j) ++met.at(static_cast<std::size_t>(j));
          },
          [&](index slot, index unit, index first, index n) {
            wrong += slot != next || !by_column || n < 1 || n > detail::columns_per_piece;
            wrong += unit != cuts[i].first_unit + first || slot != cuts[i].first_slot + first;
            next += n;
            for (index r = 0; r < rows; ++r)
              for (index j = first; j < first + n; ++j) ++met.at(static_cast<std::size_t>(r * columns + j));
          });
      wrong += numbers > detail::piece_elements;
    }
    CHECK(wrong == 0);
    CHECK(std::all_of(met.begin(), met.end(), [](int times) { return times == 1; }));
    slots = next;
    units += rows > 0 && columns > 0 ? (by_column ? columns : rows) : 0;
  }
  CHECK(cuts.back().first_slot == slots);
  CHECK(cuts.back().first_unit == units);
}

}  // namespace

static_assert(tensor_units{3, 5, false}.count() == 3 && tensor_units{3, 5, true}.count() == 5);
static_assert(detail::quotient_up(0, 4) == 0 && detail::quotient_up(4, 4) == 1 && detail::quotient_up(5, 4) == 2);

TEST_CASE("unit_cut puts every number in one piece, and its sums in the slot of its unit") {
  const index piece = detail::piece_elements;
  for (const bool by_column : {false, true}) {
    CAPTURE(by_column);
    for (const index columns : {index(1), index(3), index(255), index(256), index(257), index(513)})
      for (const index rows : {index(1), index(2), index(129), index(300)}) check({{rows, columns, by_column}});
    for (const index columns : {piece - 1, piece, piece + 1, 2 * piece, 2 * piece + 1})
      for (const index rows : {index(1), index(3)}) check({{rows, columns, by_column}});
    check({{piece + 1, 1, by_column}, {2 * piece, 2, by_column}});
  }
  check({{3, 70000, false}, {500, 160, true}, {1, 7, false}, {64, 576, false}, {2, 300, true}});
}

TEST_CASE("unit_cut gives empty tensors no pieces, wherever they are in the list") {
  check({});
  check({{0, 0, false}});
  check({{1, 0, false}, {3, 4, false}, {0, 5, true}, {5, 0, true}, {2, 2, true}, {0, 9, false}});
  CHECK(cut({{1, 0, false}, {0, 3, true}}).back().first_piece == 0);
}

TEST_CASE("unit_cut makes pieces as large as allowed") {
  CHECK(cut({{1, 32768, false}}).back().first_piece == 1);
  CHECK(cut({{1, 32769, false}}).back().first_piece == 2);
  CHECK(cut({{2, 16384, false}}).back().first_piece == 1);
  CHECK(cut({{2, 16385, false}}).back().first_piece == 2);
  CHECK(cut({{1000, 256, true}}).back().first_piece == 1);
  CHECK(cut({{1000, 257, true}}).back().first_piece == 2);
}

TEST_CASE("unit_cut handles sizes beyond 32 bits without a loop over them") {
  const index n = index(1) << 45;
  const auto cuts = cut({{1, n, false}, {n, 1, false}, {1, n, true}, {n, 3, true}});
  CHECK(cuts[1].first_piece == n / detail::piece_elements);
  CHECK(cuts[2].first_piece == 2 * n / detail::piece_elements);
  CHECK(cuts[3].first_piece == 2 * n / detail::piece_elements + n / detail::columns_per_piece);
  CHECK(cuts[4].first_piece == cuts[3].first_piece + 1);
  CHECK(cuts[1].first_slot == n / detail::piece_elements);
  CHECK(cuts[2].first_unit == 1 + n);
  index end = 0;
  const auto note = [&](index, index, index first, index count) { end = std::max(end, first + count); };
  cuts[0].visit(cuts[1].first_piece - 1, note, note);
  CHECK(end == n);
  end = 0;
  cuts[1].visit(cuts[2].first_piece - 1, note, note);
  CHECK(end == n);
}
