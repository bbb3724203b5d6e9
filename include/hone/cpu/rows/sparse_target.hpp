// SPDX-License-Identifier: MIT
/// Targets that consist of labels and a uniform part. Those of a group fit into registers, and no strip of the size of
/// its rows is written. In wide groups, the sweeps use the uniform part for every class and then process the packs of
/// the labels again; in tall groups, they compare the labels with the class of each pack.
#pragma once

#include <hone/cpu/memory/row_layout.hpp>
#include <hone/cpu/rows/allowed_classes.hpp>
#include <hone/target/row_parts.hpp>

#include <hone/core/macros_push.hpp>

namespace hone::inline HONE_ABI::on_cpu {

using detail::is_sparse;

/// Per lane, q[c] = ground + Σ weight[j] over the labels j with label[j] = c.
template <class A, class Target>
class sparse_target {
 public:
  using V = pack<A>;
  static constexpr int W = V::size, labels = Target::labels;
  static constexpr bool over_allowed = allowed_target<Target>;

  sparse_target() noexcept = default;
  sparse_target(bool tall, index columns) noexcept : columns_(columns), tall_(tall) {}

  /// Reads a group's targets. mass: Σ q. dot: Σ q (z - max), without the uniform part if it is over all classes.
  void begin(Target const target, group g, group_numbers<A> z, V max, V& mass, V& dot) noexcept {
    V logit[size];
    if (!tall_) {
      read_row(target, g.row, z, logit);
    } else if (g.rows == W && !target.ignoring() && detail::weighs_rows_alike(target)) {
      read_rows_alike(target, g, z, logit);
    } else {
      read_rows(target, g, z, logit);
    }
    if constexpr (over_allowed) {
      const allowed_sums<A> classes(z, group_extent<A>(tall_, columns_), tall_, max);
      ground_ = classes.share(ground_), z_.numbers = z;
      mass = ground_ * classes.count;
      dot = zero_where(ground_ == V(0), ground_ * classes.logits);
    } else {
      mass = ground_ * V(static_cast<A>(columns_));
      dot = V(0);
    }
    for (int j = 0; j < labels; ++j) {
      mass += weight_[j];
      dot += zero_where(weight_[j] == V(0), weight_[j] * (logit[j] - max));
    }
  }

  /// Sets the source: the full packs or the last one.
  void enter([[maybe_unused]] bool last) noexcept {
    if constexpr (over_allowed) z_.at = z_.numbers.of(last);
  }

  V ground() const noexcept { return ground_; }
  index label(int j) const noexcept { return label_[j]; }  // for wide groups

  /// Returns the target of the pack at element i of a group that is known to be tall or wide. It is 0 in lanes after
  /// the last class, so that sums exclude them.
  template <bool Tall>
  V at(index i) const noexcept {
    V q = uniform_at(i);
    if constexpr (Tall) {
      const V c(static_cast<A>(column_of<A>(i)));
      for (int j = 0; j < labels; ++j) q += keep(place_[j] == c, weight_[j]);
    } else {
      const V lane = lane_numbers<A>();
      if constexpr (!over_allowed) q = keep(lane < V(static_cast<A>(columns_ - i)), q);
      for (int j = 0; j < labels; ++j) q += keep(lane == V(static_cast<A>(label_[j] - i)), weight_[j]);
    }
    return q;
  }
  V at(index i) const noexcept { return tall_ ? at<true>(i) : at<false>(i); }
  /// Returns the uniform part of the target alone, without the labels.
  V uniform_at([[maybe_unused]] index i) const noexcept {
    if constexpr (over_allowed) return keep(allowed(V::load(z_.at + i)), ground_);
    return ground_;
  }

 private:
  static constexpr std::size_t size = labels > 0 ? labels : 1;
  using parts = detail::row_parts<A, Target>;

  /// Read the parts of a wide group, or of a tall one, and the logits of the labels.
  void read_row(Target const& target, index row, group_numbers<A> z, V (&logit)[size]) noexcept {
    const parts p = target.ignores(row) ? parts() : parts(target, row, columns_);
    ground_ = V(p.ground);
    for (int j = 0; j < labels; ++j) {
      label_[j] = p.label_at[j];
      weight_[j] = V(p.weight_at[j]), logit[j] = V(z.full[p.label_at[j]]);
    }
  }
  void read_rows(Target const& target, group g, group_numbers<A> z, V (&logit)[size]) noexcept {
    typename V::lanes ground = {}, weight[size] = {}, place[size] = {}, at_label[size] = {};
    for (int lane = 0; lane < g.rows; ++lane) {
      if (target.ignores(g.row + lane)) continue;
      const parts p(target, g.row + lane, columns_);
      ground[lane] = p.ground;
      for (int j = 0; j < labels; ++j) {
        weight[j][lane] = p.weight_at[j], place[j][lane] = static_cast<A>(p.label_at[j]);
        at_label[j][lane] = z.full[p.label_at[j] * W + lane];
      }
    }
    ground_ = V::load(ground);
    for (int j = 0; j < labels; ++j)
      weight_[j] = V::load(weight[j]), place_[j] = V::load(place[j]), logit[j] = V::load(at_label[j]);
  }
  /// The same for a full tall group whose rows have the same weights, so that only the labels are read for each row.
  void read_rows_alike(Target const& target, group g, group_numbers<A> z, V (&logit)[size]) noexcept {
    const parts first(target, g.row, columns_);
    index at[size][std::size_t(W)];
    for (int lane = 0; lane < W; ++lane) {
      const detail::row_labels<Target> row(target, g.row + lane, columns_);
      for (int j = 0; j < labels; ++j) at[j][lane] = row.at[j];
    }
    ground_ = V(first.ground);
    for (int j = 0; j < labels; ++j) {
      typename V::lanes place;
      for (int lane = 0; lane < W; ++lane) place[lane] = static_cast<A>(at[j][lane]);
      weight_[j] = V(first.weight_at[j]), place_[j] = V::load(place);
      if (columns_ <= index(2) * W) {
        logit[j] = selected(z, place_[j]);
      } else {
        typename V::lanes at_label;
        for (int lane = 0; lane < W; ++lane) at_label[lane] = z.full[at[j][lane] * W + lane];
        logit[j] = V::load(at_label);
      }
    }
  }
  /// Returns the logit of class `place` in each lane of a tall group: for few classes, comparisons are faster than
  /// addresses.
  V selected(group_numbers<A> z, V place) const noexcept {
    V logit = V::load(z.full), column(0);
    for (index c = 1; c < columns_; ++c) {
      column += V(1);
      logit = select(place == column, V::load(z.full + c * W), logit);
    }
    return logit;
  }

  struct none {};
  struct logits {
    group_numbers<A> numbers{};
    A const* at = nullptr;
  };

  V ground_ = V(0), weight_[size], place_[size];
  index label_[size] = {}, columns_ = 0;
  bool tall_ = false;
  [[no_unique_address]] std::conditional_t<over_allowed, logits, none> z_;  // the group's logits; padded with -inf
};

}  // namespace hone::inline HONE_ABI::on_cpu

#include <hone/core/macros_pop.hpp>
