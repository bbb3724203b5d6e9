// SPDX-License-Identifier: MIT
/// The losses of boxes for a sum over ranks: the value of every box is added to an exact sum.
#pragma once

#include <hone/cpu/boxes/boxes.hpp>
#include <hone/cpu/distributed/exact_block.hpp>

#include <hone/core/macros_push.hpp>

namespace hone::inline HONE_ABI::on_cpu {

/// box_sweep that stores scale · weight · loss of every box in `values`, and multiplies the gradient.
template <class A, bool Rows, class... Leaf>
void box_sweep(detail::list<Leaf...> const& leaves, box_lines<A const, Rows> predicted, box_lines<A, Rows> gradient,
               A gradient_factor, A* unreduced, A* values, index boxes) noexcept {
  using V = pack<A>;
  const auto state = leaves;
  const V factor(gradient_factor);
  for (index i = 0; i < boxes; i += V::size) {
    box_part<V> part = parts_of<A>(state, predicted, i, std::index_sequence_for<Leaf...>(), gradient.streaming);
    part.reduced.store(values + i);
    for (V& g : part.gradient) g = factor * g;
    if (gradient.at[0]) gradient.store(i, part.gradient);
    if (unreduced) predicted.to_order(part.loss).store(unreduced + i);
  }
}

/// Stands in for box_sums.
template <class A>
class box_values {
 public:
  box_values(double gradient_factor, shared_exact_sum& to) noexcept
      : gradient_factor_(static_cast<A>(gradient_factor)), numbers_(to) {}

  template <bool Rows, class Leaves>
  void sweep(Leaves const& leaves, box_lines<A const, Rows> predicted, box_lines<A, Rows> gradient, A* unreduced,
             index padded) noexcept {
    A values[long_segment_boxes];
    box_sweep(leaves, predicted, gradient, gradient_factor_, unreduced, values, padded);
    numbers_.add(static_cast<A const*>(values), padded);  // those after the end are 0
  }
  double end() noexcept {
    numbers_.flush();
    return 0;
  }

 private:
  A gradient_factor_;
  exact_adder numbers_;
};

/// A box_job whose values go to a sum over ranks. `scales` are the factors of the value.
template <class View, class... Leaf>
struct box_job_over_ranks : box_job<View, Leaf...> {
  double gradient_factor;
  shared_exact_sum* sum;

  auto sums() const noexcept { return box_values<typename box_job_over_ranks::A>(gradient_factor, *sum); }
};

}  // namespace hone::inline HONE_ABI::on_cpu

#include <hone/core/macros_pop.hpp>
