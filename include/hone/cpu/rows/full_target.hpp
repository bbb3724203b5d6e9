// SPDX-License-Identifier: MIT
/// Targets with a separate number for every class: dense targets, and targets with class weights and a uniform part.
/// Plain probabilities are read in place; other targets are computed into a strip, once per group.
#pragma once

#include <hone/cpu/rows/sparse_target.hpp>
#include <hone/cpu/run/scratch.hpp>

#include <algorithm>

#include <hone/core/macros_push.hpp>

namespace hone::inline HONE_ABI::on_cpu {

template <class A, class Target>
class full_target {
 public:
  using V = pack<A>;
  static constexpr int W = V::size, parts = Target::dense_parts;

  static std::size_t bytes(bool tall, index columns) { return (1 + (parts > 0)) * strip_bytes(tall, columns); }

  full_target(bool tall, index columns, arena& memory) noexcept
      : tall_(tall), columns_(columns), numbers_(take(memory)), part_(parts > 0 ? take(memory) : nullptr) {}

  /// Returns the target numbers of the group as packs; z are the logits of the group.
  group_numbers<A> begin(Target const& target, A const* class_weights, group g, group_numbers<A> z) noexcept {
    if constexpr (requires { target.view; }) {
      return read<A>(target.view, g, numbers_, A(0));
    } else {
      compute(target, class_weights, g, z);
      return {numbers_, numbers_};
    }
  }

 private:
  static std::size_t strip_bytes(bool tall, index columns) {
    return arena::room_for<A>(static_cast<std::size_t>(packs_of<A>(tall, columns) * W));
  }
  A* take(arena& memory) const noexcept {
    return memory.take<A>(static_cast<std::size_t>(packs_of<A>(tall_, columns_) * W));
  }

  /// Adds the dense parts of a group, each with one factor per lane.
  struct dense_sink {
    full_target& to;
    group g;
    typename pack<A>::lanes const* factors;

    void label(index, A) const noexcept {}
    void uniform(A) const noexcept {}
    void dense(auto const& view, A) noexcept { to.add(read<A>(view, g, to.part_, A(0)), packed(to.tall_, *factors++)); }
  };

  void compute(Target const& target, A const* class_weights, group g, [[maybe_unused]] group_numbers<A> z) noexcept {
    typename pack<A>::lanes ground = {}, factors[std::size_t(parts > 0 ? parts : 1)] = {};
    detail::row_parts<A, Target> rows[std::size_t(W)];
    const int count = std::min(g.rows, W);  // g.rows; g++ -O3 warns of more
    for (int lane = 0; lane < count; ++lane) {
      if (target.ignores(g.row + lane)) continue;
      rows[lane] = detail::row_parts<A, Target>(target, g.row + lane, columns_);
      ground[lane] = rows[lane].ground;
      for (int k = 0; k < parts; ++k) factors[k][lane] = rows[lane].dense_at[k];
    }
    const V start = packed(tall_, ground);
    if constexpr (allowed_target<Target>) {
      const V each = allowed_sums<A>(z, extent(), tall_, V(0)).share(start);
      for (row_stretch<A> s(extent()); s.next();)
        for (index i = s.begin; i < s.end; i += W) keep(allowed(V::load(z.of(s.last()) + i)), each).store(numbers_ + i);
    } else {
      for (index i = 0; i < size(); i += W) start.store(numbers_ + i);
    }
    if constexpr (parts > 0) {
      dense_sink sink{*this, g, factors};
      target.visit(g.row, columns_, A(1), sink);
    }
    for (int lane = 0; lane < count; ++lane)
      for (int j = 0; j < rows[lane].label_count; ++j)
        numbers_[g.position<A>(rows[lane].label_at[j], lane)] += rows[lane].weight_at[j];
    if (class_weights)
      for (index c = 0; c < columns_; ++c)
        for (int lane = 0; lane < (tall_ ? W : 1); ++lane) numbers_[g.position<A>(c, lane)] *= class_weights[c];
    if (!tall_) std::fill(numbers_ + columns_, numbers_ + size(), A(0));
  }

  void add(group_numbers<A> part, V factor) noexcept {
    for (row_stretch<A> s(extent()); s.next();)
      for (index i = s.begin; i < s.end; i += W)
        fma(factor, V::load(part.of(s.last()) + i), V::load(numbers_ + i)).store(numbers_ + i);
  }

  group_extent<A> extent() const noexcept { return {tall_, columns_}; }
  index size() const noexcept { return packs_of<A>(tall_, columns_) * W; }

  bool tall_;
  index columns_;
  A *numbers_, *part_;
};

}  // namespace hone::inline HONE_ABI::on_cpu

#include <hone/core/macros_pop.hpp>
