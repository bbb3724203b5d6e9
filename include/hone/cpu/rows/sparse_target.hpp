// SPDX-License-Identifier: MIT
/// Targets that are labels on a uniform ground: a group's fit into registers, and nothing of the size of its
/// rows is ever written. Where rows are wide, the sweeps take the ground for every class and then visit the
/// labels' packs again; where they are tall, the labels are compared with the class of each pack.
#pragma once

#include <hone/cpu/memory/row_layout.hpp>
#include <hone/cpu/rows/allowed_classes.hpp>
#include <hone/target/row_parts.hpp>

#include <hone/core/macros_push.hpp>

namespace hone::inline HONE_ABI::on_cpu {

using detail::is_sparse;

/// q = ground + Σ weight[j] at the class label[j], per lane.
template <class A, class Target>
class sparse_target {
 public:
  using V = pack<A>;
  static constexpr int W = V::size, labels = Target::labels;
  static constexpr bool over_allowed = allowed_target<Target>;

  sparse_target() noexcept = default;
  sparse_target(bool tall, index columns) noexcept : columns_(columns), tall_(tall) {}

  /// Reads the group's targets, and sums up over every row: Σ q, and Σ q (z - max) of the labels.
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
  index label(int j) const noexcept { return label_[j]; }  // wide

  /// The target of the pack at element i. The lanes behind the last class hold none: sums must not meet it.
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
  /// The same without the labels.
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
  [[no_unique_address]] std::conditional_t<over_allowed, logits, none> z_;  // of the group: behind a row's end -inf
};

}  // namespace hone::inline HONE_ABI::on_cpu

#include <hone/core/macros_pop.hpp>
