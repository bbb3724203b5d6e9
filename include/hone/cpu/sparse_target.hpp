// SPDX-License-Identifier: MIT
/// Targets that are labels on a uniform ground: a group's fit into registers, and nothing of the size of its
/// rows is ever written. Where rows are wide, the sweeps take the ground for every class and then visit the
/// labels' packs again; where they are tall, the labels are compared with the class of each pack.
#pragma once

#include <hone/cpu/tile.hpp>
#include <hone/target/target.hpp>

namespace hone::on_cpu {

template <class Target>
inline constexpr bool is_sparse = Target::dense_parts == 0 && !(weighed_target<Target> && Target::has_uniform);

/// The parts of one row's target; labels weigh what their class does, dense parts leave their factors.
template <class A, class Target>
struct row_parts {
  static constexpr int labels = Target::labels;

  A const* class_weights = nullptr;
  index label_at[labels > 0 ? labels : 1] = {};
  A ground = 0;
  int label_count = 0, dense_count = 0;
  A weight_at[labels > 0 ? labels : 1] = {};
  A dense_at[Target::dense_parts > 0 ? Target::dense_parts : 1] = {};

  row_parts() noexcept = default;
  /// An ignored row has none.
  row_parts(Target const& target, index row, index columns, A const* weights) noexcept : class_weights(weights) {
    if (!target.ignores(row)) target.visit(row, columns, A(1), *this);
  }

  void label(index c, A weight) noexcept {
    label_at[label_count] = c;
    weight_at[label_count++] = class_weights ? weight * class_weights[c] : weight;
  }
  void uniform(A weight) noexcept { ground += weight; }
  void dense(auto const&, A weight) noexcept { dense_at[dense_count++] = weight; }
};

/// q = ground + Σ weight[j] at the class label[j], per lane.
template <class A, class Target>
class sparse_target {
 public:
  using V = pack<A>;
  static constexpr int W = V::size, labels = Target::labels;

  sparse_target() noexcept = default;
  sparse_target(bool tall, index columns) noexcept : columns_(columns), tall_(tall) {}

  /// Reads the group's targets, and sums up over every row: Σ q, and Σ q (z - max) of the labels.
  void begin(Target const target, A const* class_weights, group g, A const* z, V max, V& mass, V& dot) noexcept {
    A ground[W] = {}, weight[size][W] = {}, place[size][W] = {}, logit[size][W] = {};
    for (int lane = 0; lane < g.rows; ++lane) {
      const row_parts<A, Target> row(target, g.row + lane, columns_, class_weights);
      ground[lane] = row.ground;
      for (int j = 0; j < labels; ++j) {
        weight[j][lane] = row.weight_at[j];
        place[j][lane] = static_cast<A>(row.label_at[j]);
        logit[j][lane] = z[g.position<A>(row.label_at[j], lane)];
        if (!tall_) label_[j] = row.label_at[j];
      }
    }
    ground_ = packed(tall_, ground);
    mass = ground_ * V(static_cast<A>(columns_));
    dot = V(0);
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
    V q = ground_;
    if (tall_) {
      const index column = i / W;
      const V c(static_cast<A>(column));
      for (int j = 0; j < labels; ++j) q += keep(place_[j] == c, weight_[j]);
    } else {
      const V lane = lane_numbers<A>();
      if (i + W > columns_) q = keep(lane < V(static_cast<A>(columns_ - i)), q);
      for (int j = 0; j < labels; ++j) q += keep(lane == V(static_cast<A>(label_[j] - i)), weight_[j]);
    }
    return q;
  }
  /// The same without the labels.
  V rest_at(index) const noexcept { return ground_; }

 private:
  static constexpr int size = labels > 0 ? labels : 1;

  V ground_ = V(0), weight_[size], place_[size];
  index label_[size] = {}, columns_ = 0;
  bool tall_ = false;
};

}  // namespace hone::on_cpu
