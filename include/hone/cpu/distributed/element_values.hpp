// SPDX-License-Identifier: MIT
/// The losses of elements for a sum over ranks. What is added without rounding is one number per row: the sum of its
/// elements, in an order that depends on the number of columns alone.
#pragma once

#include <hone/cpu/distributed/exact_block.hpp>
#include <hone/cpu/elements/elements.hpp>

#include <algorithm>
#include <cstring>

#include <hone/core/macros_push.hpp>

namespace hone::inline HONE_ABI::on_cpu {

/// element_sweep that stores scale · weight · loss of every element in `values`, and multiplies the gradient.
template <class A, class... Leaf>
void element_sweep(detail::list<Leaf...> const& leaves, A const* x, A* gradient, A gradient_factor, bool streaming,
                   A* unreduced, A* values, index size) noexcept {
  using V = pack<A>;
  const auto state = leaves;
  const V factor(gradient_factor);
  for (index i = 0; i < size; i += V::size) {
    const element_part<V> part = element_parts_of<A>(state, V::load(x + i), i, std::index_sequence_for<Leaf...>());
    part.reduced.store(values + i);
    if (streaming)
      stream_pack(factor * part.gradient, gradient + i);
    else if (gradient)
      (factor * part.gradient).store(gradient + i);
    if (unreduced) part.loss.store(unreduced + i);
  }
}

/// Returns the sum of n numbers in an order that n alone decides: full packs, lane by lane, and then the others.
template <class A>
double sum_in_order(A const* x, index n) noexcept {
  using V = pack<A>;
  const index full = n / V::size * V::size;
  A total(0);
  if (full > 0) {
    V of_packs = V::load(x);
    for (index i = V::size; i < full; i += V::size) of_packs += V::load(x + i);
    total = sum(of_packs);
  }
  for (index i = full; i < n; ++i) {
    total += x[i];
    HONE_HIDE(total);  // no other order under -ffast-math
  }
  return static_cast<double>(total);
}

/// Stands in for element_sums. A row of more than segment_elements columns has one number per so many columns.
template <class A>
class element_values {
 public:
  element_values(index columns, double gradient_factor, shared_exact_sum& to) noexcept
      : columns_(columns), gradient_factor_(static_cast<A>(gradient_factor)), numbers_(to) {}

  template <class Leaves>
  void sweep(Leaves const& leaves, segment s, A const* x, A* gradient, bool streaming, A* unreduced,
             index padded) noexcept {
    element_sweep(leaves, x, gradient, gradient_factor_, streaming, unreduced, values_ + kept_, padded);
    if (columns_ == 1) return numbers_.add(static_cast<A const*>(values_), s.size);
    // The values before this segment begin a part of a row at column_.
    index at = 0;
    const index end = kept_ + s.size;
    for (index n = 0; at + (n = std::min(segment_elements, columns_ - column_)) <= end; at += n) {
      *numbers_.next(1) = sum_in_order(values_ + at, n);
      numbers_.count(1);
      column_ = column_ + n == columns_ ? 0 : column_ + n;
    }
    kept_ = end - at;
    std::memmove(values_, values_ + at, static_cast<std::size_t>(kept_) * sizeof(A));
  }
  double end() noexcept {
    numbers_.flush();
    return 0;
  }

 private:
  index columns_, column_ = 0, kept_ = 0;
  A gradient_factor_;
  A values_[2 * segment_elements];
  exact_adder numbers_;
};

/// An element_job whose values go to a sum over ranks. `scales` are the factors of the value.
template <class View, class... Leaf>
struct element_job_over_ranks : element_job<View, Leaf...> {
  double gradient_factor;
  shared_exact_sum* sum;

  auto sums() const noexcept {
    return element_values<typename element_job_over_ranks::A>(this->columns, gradient_factor, *sum);
  }
};

}  // namespace hone::inline HONE_ABI::on_cpu

#include <hone/core/macros_pop.hpp>
