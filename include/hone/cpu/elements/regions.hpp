// SPDX-License-Identifier: MIT
/// The first sweep of the region losses of elements on the CPU: sigmoids, and their sums with their targets.
#pragma once

#include <hone/cpu/elements/elements.hpp>
#include <hone/cpu/regions/region_sums.hpp>
#include <hone/loss/region/sigmoid.hpp>

#include <hone/core/macros_push.hpp>

namespace hone::inline HONE_ABI::on_cpu {

/// Sums p t, p, t and the weights of every class over the rows of one piece. The elements of a segment are added to
/// `slots`, one per class or, if classes are few, one for each of several rows, so that packs have different ones.
template <class View, class Leaf>
class element_region_sweep {
  using A = accumulator_t<detail::number_of<View>>;
  using V = pack<A>;

 public:
  static constexpr index numbers = 4;

  static table_layout layout(View prediction) noexcept { return {1, detail::columns_of(prediction)}; }
  static std::size_t bytes(View, index columns) noexcept {
    return arena::room_for<A>(segment_elements) * (2 + numbers) + element_strips<A, Leaf>::bytes(columns) +
           numbers * arena::room_for<double>(std::size_t(slots_of(columns)));
  }

  element_region_sweep(View prediction, Leaf const& leaf, std::byte* memory) noexcept
      : prediction_(prediction), leaf_(leaf), columns_(detail::columns_of(prediction)), slots_(slots_of(columns_)) {
    arena pieces(memory);
    leaf_.factor = 1;
    x_ = pieces.take<A>(segment_elements), part_ = pieces.take<A>(segment_elements);
    for (A*& p : products_) p = pieces.take<A>(segment_elements);
    for (double*& p : sums_) p = pieces.take<double>(std::size_t(slots_));
    strips_.begin(leaf_, columns_, A(1), pieces);
  }

  /// Stores the sums of rows [begin, end): Σ p t of all classes, then Σ p, Σ t and the weights.
  void run(index begin, index end, double* sums) noexcept {
    for (double* s : sums_) std::fill_n(s, slots_, 0.0);
    const index rows = one_line() ? std::max<index>(segment_elements / columns_, 1) : 1;
    for (index row = begin; row < end; row += rows)
      for (index column = 0, size = std::min(rows, end - row) * columns_; column < size; column += segment_elements)
        add({row, column, std::min(segment_elements, size - column)});
    for (index k = 0; k < numbers; ++k)
      for (index c = 0; c < columns_; ++c) {
        double& sum = sums[k * columns_ + c] = 0;
        for (index slot = c; slot < slots_; slot += columns_) sum += sums_[k][slot];
      }
  }

 private:
  static index slots_of(index columns) noexcept { return (63 / columns + 1) * columns; }

  bool one_line() const noexcept {
    bool full = contiguous(prediction_);
    leaf_.term.views().each([&](auto const& v) { full = full && contiguous(v); });
    return full;
  }

  /// Adds a segment: whole rows, or a part of one.
  void add(segment s) noexcept {
    A const* const x = view_or_copy(prediction_, s, x_);
    const auto in = strips_.at(leaf_, s, part_);
    const bool squared = leaf_.term.formula.policy.squared;
    for (index i = 0; i < s.size; i += V::size) {
      const V p = logistic<V>(V::load(x + i)).p, t = V::load(in.t + i), w = in.weight ? V::load(in.weight + i) : V(1);
      const mask<A> out = w == V(0);  // 0 times NaN is 0 too
      zero_where(out, w * (p * t)).store(products_[0] + i);
      zero_where(out, w * (squared ? p * p : p)).store(products_[1] + i);
      zero_where(out, w * (squared ? t * t : t)).store(products_[2] + i);
      w.store(products_[3] + i);
    }
    for (int k = 0; k < numbers; ++k)
      for (index at = 0; at < s.size; at += slots_) {
        double* const to = sums_[k] + s.column;
        for (index j = 0, n = std::min(slots_, s.size - at); j < n; ++j)
          to[j] += static_cast<double>(products_[k][at + j]);
      }
  }

  View prediction_;
  Leaf leaf_;
  index columns_, slots_;
  A *x_, *part_;
  A* products_[numbers];
  double* sums_[numbers];
  element_strips<A, Leaf> strips_;
};

/// The sum of element-wise terms of which some are region losses: computes these first, then all elements.
template <class View, class... Leaf>
double sum_regions_and_elements(cpu const& backend, element_job<View, Leaf...> job) {
  std::size_t bytes = 0;
  job.leaves.each([&]<class L>([[maybe_unused]] L const& leaf) {
    if constexpr (L::term_type::is_region_loss)
      bytes += bytes_of_sums<element_region_sweep<View, L>>(job.prediction, leaf);
  });
  const scratch<scratch_for::regions> memory(bytes);
  arena pieces(memory.data());
  double of_regions = 0;
  std::size_t k = 0;
  job.leaves.each([&]<class L>([[maybe_unused]] L& leaf) {
    if constexpr (L::term_type::is_region_loss)
      of_regions += sum_regions<element_region_sweep<View, L>>(backend, job.prediction, leaf, job.scales[k], pieces);
    ++k;
  });
  if ((Leaf::term_type::is_region_loss && ...) && !job.out.gradient.data) return of_regions;
  return of_regions + sum_elements(backend, job);
}

}  // namespace hone::inline HONE_ABI::on_cpu

#include <hone/core/macros_pop.hpp>
