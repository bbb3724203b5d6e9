// SPDX-License-Identifier: MIT
/// The first sweep of region losses on the CPU: sums per class over the rows of each region, and from these the loss
/// and the table that the rows read afterwards. Sums are in double, over chunks that depend on the shape alone and are
/// added in order, so the bits do not depend on the number of threads.
#pragma once

#include <hone/core/narrowed.hpp>
#include <hone/cpu/rows/worker.hpp>
#include <hone/cpu/run/backend.hpp>
#include <hone/cpu/run/chunks.hpp>
#include <hone/loss/region/term.hpp>

#include <algorithm>

#include <hone/core/macros_push.hpp>

namespace hone::inline HONE_ABI::on_cpu {

/// Fails if the prediction does not suit a region loss or if a row has a negative weight.
template <class View, class Leaf>
void check_region_leaf(View prediction, Leaf const& leaf) {
  leaf.term.check_view(prediction);
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
    // At most 256 pieces in a region, so that their sums, three per class, stay small beside the prediction.
    const index columns = std::max<index>(detail::columns_of(prediction), 1), W = pack<A>::size;
    const index per = std::max({chunk_elements / columns, (rows + 255) / 256, index(1)});
    rows_per_piece = (per + W - 1) / W * W;
    pieces = (rows + rows_per_piece - 1) / rows_per_piece;
  }
};

/// Sums p q, p and q of every class over the rows of one piece.
template <class View, class Leaf>
class region_sweep {
  using A = accumulator_t<detail::number_of<View>>;
  using V = pack<A>;
  using Term = typename Leaf::term_type;
  using Target = target_of_term<Term>;
  static constexpr int W = V::size;
  static constexpr bool full = has_full_target<Term>;
  static constexpr index groups_per_part = 32;  // few, so that sums of float keep their digits

 public:
  static std::size_t bytes(View v, index columns) noexcept {
    const auto size = static_cast<std::size_t>(packs_of<A>(is_tall(v), columns) * W);
    const std::size_t strips = 5 * arena::room_for<A>(size) + 3 * arena::room_for<double>(size);
    if constexpr (full) return strips + full_target<A, Target>::bytes(is_tall(v), columns);
    return strips;
  }

  region_sweep(View prediction, Leaf const& leaf, std::byte* memory) noexcept
      : region_sweep(prediction, leaf, arena(memory)) {}

  /// Stores Σ p q of all classes, then Σ p, then Σ q of rows [begin, end) in `sums`.
  void run(index begin, index end, double* sums) noexcept {
    for (double* s : sums_) std::fill_n(s, packs_ * W, 0.0);
    for (A* s : parts_) std::fill_n(s, packs_ * W, A(0));
    for (index row = begin, groups = 1; row < end; ++groups) {
      const group g = group_at(prediction_, row, end);
      add(g);
      row += g.rows;
      if (groups % groups_per_part == 0 || row == end) add_parts();
    }
    for (int k = 0; k < 3; ++k)
      for (index c = 0; c < columns_; ++c) sums[k * columns_ + c] = of_class(sums_[k], c);
  }

 private:
  region_sweep(View prediction, Leaf const& leaf, arena memory) noexcept
      : prediction_(prediction),
        leaf_(leaf),
        tall_(is_tall(prediction)),
        columns_(detail::columns_of(prediction)),
        packs_(packs_of<A>(tall_, columns_)),
        logits_(memory.template take<A>(size())),
        exponentials_(memory.template take<A>(size())),
        parts_{memory.template take<A>(size()), memory.template take<A>(size()), memory.template take<A>(size())},
        sums_{memory.template take<double>(size()), memory.template take<double>(size()),
              memory.template take<double>(size())},
        target_(tall_, columns_, memory) {}

  std::size_t size() const noexcept { return static_cast<std::size_t>(packs_ * W); }

  double of_class(double const* sums, index c) const noexcept {
    if (!tall_) return sums[c];
    double total = 0;
    for (int lane = 0; lane < W; ++lane) total += sums[c * W + lane];
    return total;
  }

  void add(group g) noexcept {
    typename V::lanes weights = {};
    bool any = false;
    for (int lane = 0; lane < g.rows; ++lane) {
      double w = leaf_.term.target.ignores(g.row + lane) ? 0 : 1;
      for (int k = 0; k < Leaf::weight_count; ++k) w *= leaf_.weights[k][g.row + lane];
      weights[lane] = static_cast<A>(w);
      any |= w != 0;
    }
    if (!any) return;

    const group_extent<A> extent(tall_, columns_);
    const group_numbers<A> z = read<A>(prediction_, g, logits_, -std::numeric_limits<A>::infinity());
    V most = largest_of(z, extent), total(0);
    if (!tall_) most = V(largest(most));
    auto q = target_.begin(leaf_.term.target, g, z, most);
    for (row_stretch<A> s(extent); s.next();) {
      A const* const at = z.of(s.last());
      V of_stretch(0);
      for (index i = s.begin; i < s.end; i += W) {
        const V e = exp_of_nonpositive(V::load(at + i) - most);
        e.store(exponentials_ + i);
        of_stretch += e;
      }
      total += of_stretch;
    }
    if (!tall_) total = V(sum(total));

    const V weight = packed(tall_, weights), inverse = V(1) / total;
    const auto counts = V(0) < weight;
    const bool squared = leaf_.term.policy.squared;
    for (row_stretch<A> s(extent); s.next();) {
      q.enter(s.last());
      for (index i = s.begin; i < s.end; i += W) {
        const V p = V::load(exponentials_ + i) * inverse, t = q.at(i);
        add(keep(counts, weight * (p * t)), parts_[0] + i);
        add(keep(counts, weight * (squared ? p * p : p)), parts_[1] + i);
        add(keep(counts, weight * (squared ? t * t : t)), parts_[2] + i);
      }
    }
  }
  static void add(V x, A* to) noexcept { (V::load(to) + x).store(to); }
  /// Adds the sums of the last groups to those in double.
  void add_parts() noexcept {
    for (int k = 0; k < 3; ++k)
      for (index i = 0; i < packs_ * W; ++i) {
        sums_[k][i] += static_cast<double>(parts_[k][i]);
        parts_[k][i] = 0;
      }
  }

  /// The target of a group, in registers or in a strip.
  class sparse_reader {
   public:
    sparse_reader(bool tall, index columns, arena) noexcept : q_(tall, columns) {}
    sparse_target<A, Target>& begin(Target const& target, group g, group_numbers<A> z, V most) noexcept {
      V mass, dot;
      q_.begin(target, g, z, most, mass, dot);
      return q_;
    }

   private:
    sparse_target<A, Target> q_;
  };
  class full_reader {
   public:
    full_reader(bool tall, index columns, arena memory) noexcept : q_(tall, columns, memory) {}
    target_numbers<A> begin(Target const& target, group g, group_numbers<A> z, V) noexcept {
      return {q_.begin(target, nullptr, g, z)};
    }

   private:
    full_target<A, Target> q_;
  };

  View prediction_;
  Leaf const& leaf_;
  bool tall_;
  index columns_, packs_;
  A *logits_, *exponentials_, *parts_[3];
  double* sums_[3];
  std::conditional_t<full, full_reader, sparse_reader> target_;
};

/// The sizes of what a region loss keeps during a call.
template <class A>
struct region_room {
  index pieces, of_number, tables;  // of all regions

  template <class View, class Leaf>
  region_room(View prediction, Leaf const& leaf) noexcept {
    const region_cut cut(prediction, leaf.term.policy);
    const index columns = detail::columns_of(prediction);
    pieces = cut.regions * cut.pieces;
    of_number = packs_of<A>(is_tall(prediction), columns) * pack<A>::size;
    tables = cut.regions * 2 * of_number;
  }
};

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
template <class View, class Leaf>
double sum_regions(cpu const& backend, View prediction, Leaf& leaf, double& scale, arena& memory) {
  using A = accumulator_t<detail::number_of<View>>;
  constexpr int W = pack<A>::size;
  const region_cut cut(prediction, leaf.term.policy);
  const region_room<A> room(prediction, leaf);
  const index columns = detail::columns_of(prediction), of_piece = 3 * columns;
  double* const sums = memory.template take<double>(std::size_t(room.pieces * of_piece));
  A* const tables = memory.template take<A>(std::size_t(room.tables));

  using sweep = region_sweep<View, Leaf>;
  for_chunks(backend, room.pieces, sweep::bytes(prediction, columns), [&](index piece, std::byte* m) {
    const index first = piece / cut.pieces * cut.rows, begin = piece % cut.pieces * cut.rows_per_piece;
    sweep(prediction, leaf, m)
        .run(first + begin, first + std::min(begin + cut.rows_per_piece, cut.rows), sums + piece * of_piece);
  });

  const bool tall = is_tall(prediction);
  std::fill_n(tables, room.tables, A(0));
  double total = 0, count = 0;
  for (index r = 0; r < cut.regions; ++r) {
    double* const of_region = sums + r * cut.pieces * of_piece;
    for (index piece = 1; piece < cut.pieces; ++piece)
      for (index k = 0; k < of_piece; ++k) of_region[k] += of_region[piece * of_piece + k];
    A* const table = tables + r * 2 * room.of_number;
    const auto at = [&](index c) {
      return region_sums<double>{of_region[c], of_region[columns + c], of_region[2 * columns + c]};
    };
    const detail::loss_and_count region =
        detail::loss_of_region(leaf.term, columns, lone_team(), at, [&](index c, double u, double v) {
          for (int lane = 0; lane < (tall ? W : 1); ++lane) {
            const index place = tall ? c * W + lane : c;
            table[place] = detail::narrowed<A>(u), table[room.of_number + place] = detail::narrowed<A>(v);
          }
        });
    total += region.loss, count += region.counts;
  }
  scale = count > 0 ? 1 / count : 0;
  leaf.term.table = {tables, std::max<index>(cut.rows, 1), 2 * room.of_number, room.of_number};
  return leaf.factor == 0 ? 0 : leaf.factor * scale * total;
}

}  // namespace hone::inline HONE_ABI::on_cpu

#include <hone/core/macros_pop.hpp>
