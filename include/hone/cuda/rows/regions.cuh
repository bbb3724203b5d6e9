// SPDX-License-Identifier: MIT
/// The first sweep of the region losses of rows on CUDA: the softmax of a row and its target.
#pragma once

#include <hone/cuda/regions/region_sums.cuh>
#include <hone/cuda/rows/registers.cuh>
#include <hone/cuda/rows/rows.cuh>
#include <hone/loss/region/term.hpp>

#include <hone/core/macros_push.hpp>

namespace hone::inline HONE_ABI::on_cuda {

/// One row in the first sweep: its softmax and its target.
template <class View, class Leaf>
struct region_row {
  static constexpr int numbers = 3;  // sums of a class

  using T = detail::number_of<View>;
  using A = operand_of<accumulator_t<T>>;
  using Target = detail::target_of_term<typename Leaf::term_type>;

  T const* logits = nullptr;
  index row = 0;
  A max = 0, inverse = 0, weight = 0;  // weight: 0 if the row does not count
  detail::row_parts<A, Target, int> parts;

  __device__ void begin(View prediction, Leaf const& leaf, region_plan const& plan, index i) {
    double w = row_counts(leaf.term.target, i, plan.columns) ? 1 : 0;
    for (int k = 0; k < Leaf::weight_count; ++k)
      if (!leaf.weights[k].is_repeated()) w *= leaf.weights[k][i];
    weight = static_cast<A>(w);
    if (w == 0) return;
    row = i, logits = row_at(prediction, place_of(prediction, plan.pixels, i));
    parts = detail::row_parts<A, Target, int>(leaf.term.target, i, plan.columns);
    const index step = column_step(prediction);
    max = A(lowest_number<number_of_operand<A>>);
    A allowed = 0;
    for (int c = 0; c < plan.columns; ++c) {
      const A z = static_cast<A>(logits[c * step]);
      max = larger()(max, z);
      if constexpr (allowed_target<Target>) allowed += is_allowed(z) ? A(1) : A(0);
    }
    A total = 0, part = 0;
    for (int c = 0; c < plan.columns; ++c) {
      part += exp_of_nonpositive(static_cast<A>(logits[c * step]) - max);
      if (c % 64 == 63) total += part, part = A(0);
    }
    inverse = A(1) / (total + part);
    if constexpr (allowed_target<Target>) parts.ground = allowed == A(0) ? A(0) : parts.ground / allowed;
  }
  __device__ bool counts() const { return weight != A(0); }
  __device__ A probability(View prediction, int c) const {
    return exp_of_nonpositive(static_cast<A>(logits[c * column_step(prediction)]) - max) * inverse;
  }
  /// Adds p q, p and q of class c, or q² and p², to the sums.
  __device__ void add(View prediction, Leaf const& leaf, region_plan const& plan, int c,
                      double (&sums)[numbers]) const {
    if (weight == A(0)) return;
    const A p = probability(prediction, c);
    A q = parts.ground;
    if constexpr (allowed_target<Target>)
      if (!is_allowed(static_cast<A>(logits[c * column_step(prediction)]))) q = A(0);
    int k = 0;
    leaf.term.target.dense_views().each([&](auto const& view) {
      q += parts.dense_at[k++] * static_cast<A>(row_at(view, place_of(view, plan.pixels, row))[c * column_step(view)]);
    });
#pragma unroll
    for (int j = 0; j < Target::labels; ++j) q += c == parts.label_at[j] ? parts.weight_at[j] : A(0);
    const bool squared = leaf.term.policy.squared;
    sums[0] += static_cast<double>(weight * (p * q));
    sums[1] += static_cast<double>(weight * (squared ? p * p : p));
    sums[2] += static_cast<double>(weight * (squared ? q * q : q));
  }
};

}  // namespace hone::inline HONE_ABI::on_cuda

#include <hone/core/macros_pop.hpp>
