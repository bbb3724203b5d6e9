// SPDX-License-Identifier: MIT
/// The targets of a group, as numbers beside its logits.
///
/// Labels on a uniform ground are sparse: a block of constant numbers into which a row's labels are written
/// and, after the row, unwritten. Dense and weighed targets are computed for the group, once.
#pragma once

#include <hone/cpu/scratch.hpp>
#include <hone/cpu/tile.hpp>
#include <hone/target/target.hpp>

namespace hone::on_cpu {

/// Classes that the last sweep handles at a time, so that a sparse block stays in the first-level cache.
inline constexpr index block_columns = 4096;

template <class Target>
inline constexpr bool is_sparse = !Target::has_dense && !(weighed_target<Target> && Target::has_uniform);

/// The parts of one row's target; labels weigh what their class does.
template <class A, int Labels>
struct row_parts {
  A const* class_weights = nullptr;
  A ground = 0;
  int count = 0;
  index label_at[Labels > 0 ? Labels : 1] = {};
  A weight_at[Labels > 0 ? Labels : 1] = {};

  void label(index c, A weight) noexcept {
    label_at[count] = c;
    weight_at[count++] = class_weights ? weight * class_weights[c] : weight;
  }
  void uniform(A weight) noexcept { ground += weight; }
  void dense(auto const&, A) const noexcept {}
};

/// Adds the dense parts of one row to a strip of the group.
template <class A>
struct dense_sink {
  group g;
  int lane;
  index columns;
  A* to;

  void label(index, A) const noexcept {}
  void uniform(A) const noexcept {}
  void dense(auto const& view, A scale) const noexcept {
    for (index c = 0; c < columns; ++c)
      to[g.position<A>(c, lane)] += scale * static_cast<A>(*address(view, g.row + lane, c));
  }
};

template <class A, class Target>
class target_strip {
 public:
  static constexpr bool sparse = is_sparse<Target>;
  static constexpr int W = pack<A>::size;

  static std::size_t bytes(bool tall, index columns) {
    return carver::room_for<A>(static_cast<std::size_t>(size_of(tall, columns)));
  }
  target_strip(Target const& target, A const* class_weights, bool tall, index columns, carver& memory) noexcept
      : target_(target),
        class_weights_(class_weights),
        columns_(columns),
        size_(size_of(tall, columns)),
        numbers_(memory.take<A>(static_cast<std::size_t>(size_))) {
    if constexpr (sparse) std::fill(numbers_, numbers_ + size_, A(0));  // the first ground; others are filled per group
  }

  /// Reads the group's targets. Rows that are ignored get an empty one.
  void begin(group g) noexcept {
    group_ = g;
    for (int lane = 0; lane < (g.tall ? W : 1); ++lane) parts_[lane] = {class_weights_};
    for (int lane = 0; lane < g.rows; ++lane)
      if (!target_.ignores(g.row + lane)) target_.visit(g.row + lane, columns_, A(1), parts_[lane]);
    if constexpr (!sparse) fill();
  }

  /// Σ q per lane, and Σ q (z - max) of the labels: what a sparse target adds without a sweep.
  void gather(A const* z, pack<A> max, pack<A>& mass, pack<A>& dot, pack<A>& ground) const noexcept {
    A m[W], d[W], u[W], largest[W];
    max.store(largest);
    for (int lane = 0; lane < W; ++lane) {
      const auto& p = parts_[lane];
      m[lane] = p.ground * static_cast<A>(columns_), d[lane] = 0, u[lane] = p.ground;
      for (int j = 0; j < p.count; ++j) {
        m[lane] += p.weight_at[j];
        if (p.weight_at[j] != 0)
          d[lane] += p.weight_at[j] * (z[group_.position<A>(p.label_at[j], lane)] - largest[lane]);
      }
      if (!group_.tall) {
        mass = pack<A>(m[0]), dot = pack<A>(d[0]), ground = pack<A>(u[0]);
        return;
      }
    }
    mass = pack<A>::load(m), dot = pack<A>::load(d), ground = pack<A>::load(u);
  }

  /// The numbers of the classes from `first` on, for up to block_columns classes. Ends with release().
  A const* block(index first) noexcept {
    if constexpr (!sparse) return numbers_ + first * (group_.tall ? W : 1);
    settle_ground();
    mark(first, true);
    return numbers_;
  }
  void release(index first) noexcept {
    if constexpr (sparse) mark(first, false);
  }

 private:
  static index size_of(bool tall, index columns) noexcept {
    if (Target::labels == 0 && !Target::has_uniform && !Target::has_dense) return 0;
    const index classes = sparse && !tall ? std::min(columns, block_columns) : columns;
    return packs_of<A>(tall, classes) * W;
  }

  /// Writes the labels of the block into the ground, or the ground over the labels. The lanes behind the last
  /// class hold no target: a term that sums over the block must not meet the ground there.
  void mark(index first, bool on) noexcept {
    if constexpr (sparse && Target::has_uniform)
      if (!group_.tall)
        for (index c = columns_ - first; c < block_columns && c % W != 0; ++c)
          numbers_[c] = on ? A(0) : parts_[0].ground;
    for (int lane = 0; lane < group_.rows; ++lane) {
      const auto& p = parts_[lane];
      for (int j = 0; j < p.count; ++j) {
        const index c = p.label_at[j] - first;
        if (c < 0 || (sparse && !group_.tall && c >= block_columns)) continue;
        A& number = numbers_[group_.position<A>(c, lane)];
        number = on ? number + p.weight_at[j] : p.ground;
      }
    }
  }

  /// Rewrites the strip where its ground differs from the last group's.
  void settle_ground() noexcept {
    if constexpr (Target::has_uniform) {
      A ground[W];
      for (int lane = 0; lane < W; ++lane) ground[lane] = parts_[group_.tall ? lane : 0].ground;
      if (std::equal(ground, ground + W, ground_)) return;
      std::copy(ground, ground + W, ground_);
      for (index i = 0; i < size_; ++i) numbers_[i] = ground[i % W];
    }
  }

  /// Every number of a dense or weighed target.
  void fill() noexcept {
    std::fill(numbers_, numbers_ + size_, A(0));
    for (int lane = 0; lane < group_.rows; ++lane) {
      const auto& p = parts_[lane];
      if (target_.ignores(group_.row + lane)) continue;
      dense_sink<A> sink{group_, lane, columns_, numbers_};
      target_.visit(group_.row + lane, columns_, A(1), sink);
      for (index c = 0; c < columns_; ++c) {
        A& number = numbers_[group_.position<A>(c, lane)];
        number += p.ground;
        if (class_weights_) number *= class_weights_[c];
      }
    }
    mark(0, true);
  }

  Target const& target_;
  A const* class_weights_;
  index columns_, size_;
  A* numbers_;
  group group_;
  row_parts<A, Target::labels> parts_[W];
  A ground_[W] = {};
};

}  // namespace hone::on_cpu
