// SPDX-License-Identifier: MIT
/// The first sweep of the region losses of elements on CUDA: the sigmoids of a row and its targets.
#pragma once

#include <hone/cuda/elements/elements.cuh>
#include <hone/cuda/regions/region_sums.cuh>
#include <hone/loss/region/sigmoid.hpp>

#include <hone/core/macros_push.hpp>

namespace hone::inline HONE_ABI::on_cuda {

/// One row in the first sweep: its targets and its weight.
template <class View, class Leaf>
struct region_elements {
  static constexpr int numbers = 4;  // sums of a class: Σ p t, Σ p, Σ t and the weights

  using A = accumulator_t<detail::number_of<View>>;
  using Targets = std::remove_cvref_t<decltype(Leaf::term_type::targets)>;

  row_place place;
  A weight = 0;  // 0 if the row does not count
  row_of_targets<A, Targets> targets;

  __device__ void begin(View prediction, Leaf const& leaf, region_plan const& plan, index i) {
    double w = leaf.term.targets.ignores(i) ? 0 : 1;
    for (int k = 0; k < Leaf::weight_count; ++k)
      if (!leaf.weights[k].is_repeated()) w *= leaf.weights[k][i];
    weight = static_cast<A>(w);
    if (weight == A(0)) return;
    place = place_of(prediction, plan.pixels, i);
    targets.read(leaf.term.targets, i, plan.columns);
  }
  /// Adds w p t, w p and w t of class c, or w p² and w t², and w.
  __device__ void add(View prediction, Leaf const& leaf, region_plan const&, int c, double (&sums)[numbers]) const {
    const auto number = [&](auto const& view) { return static_cast<A>(row_at(view, place)[c * column_step(view)]); };
    A w = weight;
    leaf.term.weights.each([&](auto const& weights) {
      weights.views().each([&](auto const& view) { w = w == A(0) ? A(0) : w * number(view); });
    });
    if (w == A(0)) return;
    A t = targets.at(c);
    int k = 0;
    leaf.term.targets.views().each([&](auto const& view) { t += targets.share(k++) * number(view); });
    const A p = static_cast<A>(logistic<operand_of<A>>(operand_of<A>(number(prediction))).p);
    const bool squared = leaf.term.formula.policy.squared;
    sums[0] += static_cast<double>(w * (p * t));
    sums[1] += static_cast<double>(w * (squared ? p * p : p));
    sums[2] += static_cast<double>(w * (squared ? t * t : t));
    sums[3] += static_cast<double>(w);
  }
};

}  // namespace hone::inline HONE_ABI::on_cuda

#include <hone/core/macros_pop.hpp>
