// SPDX-License-Identifier: MIT
/// The first sweep of the region losses of rows on the CPU: softmax of the rows, and its sums with their targets.
#pragma once

#include <hone/cpu/regions/region_sums.hpp>
#include <hone/cpu/rows/worker.hpp>

#include <algorithm>

#include <hone/core/macros_push.hpp>

namespace hone::inline HONE_ABI::on_cpu {

/// How the tables of row terms hold a number per class.
template <class View>
table_layout layout_of_rows(View prediction) noexcept {
  using A = accumulator_t<detail::number_of<View>>;
  const bool tall = is_tall(prediction);
  return {tall ? index(pack<A>::size) : 1, packs_of<A>(tall, detail::columns_of(prediction)) * pack<A>::size};
}

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
  static constexpr index numbers = 3;

  static table_layout layout(View prediction) noexcept { return layout_of_rows(prediction); }
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

}  // namespace hone::inline HONE_ABI::on_cpu

#include <hone/core/macros_pop.hpp>
