// SPDX-License-Identifier: MIT
/// The first sweep of region losses on the CPU: sums per class over the rows of each region, and from these the loss
/// and the table that rows or elements read afterwards. Sums are in double, over chunks that depend on the shape alone
/// and are added in order, so the bits do not depend on the number of threads. What sums a piece is a Sweep:
///
///   numbers                     sums per class
///   bytes(prediction, columns)  the memory that it needs
///   layout(prediction)          of its tables
///   Sweep(prediction, leaf, memory).run(begin, end, sums)      stores a number per class, then the next one
#pragma once

#include <hone/core/narrowed.hpp>
#include <hone/cpu/run/backend.hpp>
#include <hone/cpu/run/chunks.hpp>
#include <hone/loss/region/term.hpp>

#include <algorithm>

#include <hone/core/macros_push.hpp>

namespace hone::inline HONE_ABI::on_cpu {

/// Fails if a row has a negative weight.
template <class Leaf>
void check_weights_of_region(Leaf const& leaf) {
  for (int k = 0; k < Leaf::weight_count; ++k)
    detail::require_values(
        leaf.weights[k], "weigh_rows weight", "row", [](double w) { return w >= 0; }, "not negative for a region loss");
}

/// The rows of a prediction in regions, and every region in pieces of complete groups.
struct region_cut {
  index regions = 0, rows = 0, rows_per_piece = 1, pieces = 0;  // rows and pieces: of a region

  template <class View>
  region_cut(View prediction, region_policy const& policy) noexcept : rows(detail::rows_of_region(prediction, policy)) {
    using A = accumulator_t<detail::number_of<View>>;
    const index all = detail::rows_of(prediction);
    if (all == 0) return;
    regions = all / rows;
    // At most 256 pieces in a region, so that their sums, a few per class, stay small beside the prediction.
    const index columns = std::max<index>(detail::columns_of(prediction), 1), W = pack<A>::size;
    const index per = std::max({chunk_elements / columns, (rows + 255) / 256, index(1)});
    rows_per_piece = (per + W - 1) / W * W;
    pieces = (rows + rows_per_piece - 1) / rows_per_piece;
  }
};

/// How a table holds one number per class: `lanes` copies of each, in `size` numbers.
struct table_layout {
  index lanes, size;

  template <class A>
  void put(A* table, index c, double x) const noexcept {
    std::fill_n(table + c * lanes, lanes, detail::narrowed<A>(x));
  }
};

/// Returns the bytes that a region loss keeps during a call.
template <class Sweep, class View, class Leaf>
std::size_t bytes_of_sums(View prediction, Leaf const& leaf) noexcept {
  using A = accumulator_t<detail::number_of<View>>;
  const region_cut cut(prediction, detail::region_of(leaf.term).policy);
  return arena::room_for<double>(
             std::size_t(cut.regions * cut.pieces * Sweep::numbers * detail::columns_of(prediction))) +
         arena::room_for<A>(std::size_t(cut.regions * 2 * Sweep::layout(prediction).size));
}

/// One thread has all classes.
struct lone_team {
  template <class Body>
  void each(index n, Body const& body) const {
    for (index c = 0; c < n; ++c) body(c);
  }
  double sum(double x) const noexcept { return x; }
};

/// Computes a region loss: fills the table of the leaf's term, sets `scale` to 1 / the number of regions that count,
/// and returns factor · the mean of their losses.
template <class Sweep, class View, class Leaf>
double sum_regions(cpu const& backend, View prediction, Leaf& leaf, double& scale, arena& memory) {
  using A = accumulator_t<detail::number_of<View>>;
  auto& region_loss = detail::region_of(leaf.term);
  const region_cut cut(prediction, region_loss.policy);
  const table_layout layout = Sweep::layout(prediction);
  const index columns = detail::columns_of(prediction), of_piece = Sweep::numbers * columns;
  const index pieces = cut.regions * cut.pieces, numbers = cut.regions * 2 * layout.size;
  double* const sums = memory.template take<double>(std::size_t(pieces * of_piece));
  A* const tables = memory.template take<A>(std::size_t(numbers));

  for_chunks(backend, pieces, Sweep::bytes(prediction, columns), [&](index piece, std::byte* m) {
    const index first = piece / cut.pieces * cut.rows, begin = piece % cut.pieces * cut.rows_per_piece;
    Sweep(prediction, leaf, m)
        .run(first + begin, first + std::min(begin + cut.rows_per_piece, cut.rows), sums + piece * of_piece);
  });

  std::fill_n(tables, numbers, A(0));
  double total = 0, count = 0;
  for (index r = 0; r < cut.regions; ++r) {
    double* const of_region = sums + r * cut.pieces * of_piece;
    for (index piece = 1; piece < cut.pieces; ++piece)
      for (index k = 0; k < of_piece; ++k) of_region[k] += of_region[piece * of_piece + k];
    A* const table = tables + r * 2 * layout.size;
    const auto at = [&](index c) -> detail::class_of_region {
      double const* const s = of_region + c;
      return {{s[0], s[columns], s[2 * columns]}, s[(Sweep::numbers > 3 ? 3 : 1) * columns]};
    };
    const detail::loss_and_count region = detail::loss_of_region(
        region_loss.formula, region_loss.policy, columns, lone_team(), at,
        [&](index c, double u, double v) { layout.put(table, c, u), layout.put(table + layout.size, c, v); });
    total += region.loss, count += region.counts;
  }
  scale = count > 0 ? 1 / count : 0;
  region_loss.table = {tables, std::max<index>(cut.rows, 1), 2 * layout.size, layout.size};
  return leaf.factor == 0 ? 0 : leaf.factor * scale * total;
}

}  // namespace hone::inline HONE_ABI::on_cpu

#include <hone/core/macros_pop.hpp>
