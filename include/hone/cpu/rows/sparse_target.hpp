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
  void begin(Target const target, group g, A const* z, V max, V& mass, V& dot) noexcept {
    typename V::lanes ground = {}, weight[size] = {}, place[size] = {}, logit[size] = {};
    for (int lane = 0; lane < g.rows; ++lane) {
      if (target.ignores(g.row + lane)) continue;
      const detail::row_parts<A, Target> row(target, g.row + lane, columns_);
      ground[lane] = row.ground;
      for (int j = 0; j < labels; ++j) {
        weight[j][lane] = row.weight_at[j];
        place[j][lane] = static_cast<A>(row.label_at[j]);
        logit[j][lane] = z[g.position<A>(row.label_at[j], lane)];
        if (!tall_) label_[j] = row.label_at[j];
      }
    }
    ground_ = packed(tall_, ground);
    if constexpr (over_allowed) {
      const allowed_sums<A> classes(z, packs_of<A>(tall_, columns_), tall_, max);
      ground_ = classes.share(ground_), z_.data = z;
      mass = ground_ * classes.count;
      dot = zero_where(ground_ == V(0), ground_ * classes.logits);
    } else {
      mass = ground_ * V(static_cast<A>(columns_));
      dot = V(0);
    }
    for (int j = 0; j < labels; ++j) {
      weight_[j] = packed(tall_, weight[j]), place_[j] = packed(tall_, place[j]);
      mass += weight_[j];
      dot += zero_where(weight_[j] == V(0), weight_[j] * (packed(tall_, logit[j]) - max));
    }
  }

  V ground() const noexcept { return ground_; }
  index label(int j) const noexcept { return label_[j]; }  // for wide groups

  /// Returns the target of the pack at element i. It is 0 in lanes after the last class, so that sums exclude them.
  V at(index i) const noexcept {
    V q = rest_at(i);
    if (tall_) {
      const index column = i / W;
      const V c(static_cast<A>(column));
      for (int j = 0; j < labels; ++j) q += keep(place_[j] == c, weight_[j]);
    } else {
      const V lane = lane_numbers<A>();
      if (!over_allowed && i + W > columns_) q = keep(lane < V(static_cast<A>(columns_ - i)), q);
      for (int j = 0; j < labels; ++j) q += keep(lane == V(static_cast<A>(label_[j] - i)), weight_[j]);
    }
    return q;
  }
  /// Returns the uniform part of the target alone, without the labels.
  V rest_at([[maybe_unused]] index i) const noexcept {
    if constexpr (over_allowed) return keep(allowed(V::load(z_.data + i)), ground_);
    return ground_;
  }

 private:
  static constexpr std::size_t size = labels > 0 ? labels : 1;
  struct none {};
  struct logits {
    A const* data = nullptr;
  };

  V ground_ = V(0), weight_[size], place_[size];
  index label_[size] = {}, columns_ = 0;
  bool tall_ = false;
  [[no_unique_address]] std::conditional_t<over_allowed, logits, none> z_;  // the group's logits; padded with -inf
};

}  // namespace hone::inline HONE_ABI::on_cpu

#include <hone/core/macros_pop.hpp>
