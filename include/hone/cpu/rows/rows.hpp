// SPDX-License-Identifier: MIT
/// Objectives of row terms on the CPU: checks, divisors, and the data that all threads share.
#pragma once

#include <hone/cpu/rows/lovasz.hpp>
#include <hone/cpu/rows/regions.hpp>
#include <hone/cpu/rows/worker.hpp>
#include <hone/cpu/run/backend.hpp>
#include <hone/cpu/run/chunks.hpp>

#include <hone/core/macros_push.hpp>

namespace hone::inline HONE_ABI::on_cpu {

template <class View, row_term Term, int Weights>
void check_leaf(View prediction, detail::leaf<Term, Weights> const& leaf) {
  const index rows = detail::rows_of(prediction);
  check_row_weights(leaf, rows);
  const index columns = detail::columns_of(prediction);
  if constexpr (row::has_target<Term>) leaf.term.target.check_shape(rows, columns);
  if constexpr (row::has_target<Term>) {
    const auto counts = [&](index i) { return leaf.factor_of_row(i) != 0; };
    if constexpr (requires { leaf.term.target.check_values(rows, columns, counts); }) {
      leaf.term.target.check_values(rows, columns, counts);
    } else {
      leaf.term.target.check_values(rows, columns);
    }
  }
  if constexpr (requires { leaf.term.check_shape(rows, columns); }) leaf.term.check_shape(rows, columns);
  if constexpr (requires { leaf.term.check_values(rows, columns); }) leaf.term.check_values(rows, columns);
  if constexpr (row::has_teacher<Term>) detail::require_like(leaf.term.teacher, "distillation teacher", prediction);
  if constexpr (detail::is_region_loss<Term>) {
    leaf.term.check_view(prediction);
    check_weights_of_region(leaf);
  }
}

/// Calls add(weight) with the target weights of every row that a leaf does not ignore.
template <class Leaf, class Add>
void each_label_weight(Leaf const& leaf, index rows, Add const& add) {
  auto const& target = leaf.term.target;
  for (index i = 0; i < rows; ++i)
    if (!target.ignores(i)) add(target.label_weight(i, target.weights));
}

/// Returns the divisor of a leaf under a mean: its rows that count, or their target weights, times `each`; 1 for a
/// region loss, which is a mean already.
template <row_term Term, int Weights, class... All>
double divisor_of(detail::leaf<Term, Weights> const& leaf, detail::list<All...> const& leaves, index rows, index each) {
  if constexpr (detail::is_region_loss<Term>) {
    return rows > 0 ? 1 : 0;
  } else if constexpr (detail::divides_by_weights<Term>) {
    double total = 0;
    each_label_weight(leaf, rows, [&](double w) { total += w; });
    return total * static_cast<double>(each);
  } else {
    return count_rows(rows, skips_rows(leaf, leaves), [&](index i) { return skips(leaf, leaves, i); }) *
           static_cast<double>(each);
  }
}

template <class Leaf>
inline constexpr bool copies_weights =
    weighed_target<target_of_term<typename Leaf::term_type>> && has_full_target<typename Leaf::term_type>;

/// Copies class weights to `memory` in the type of the arithmetic; returns nullptr if the leaf needs no copy.
template <class A, class Leaf>
A const* class_weights_of([[maybe_unused]] Leaf const& leaf, [[maybe_unused]] arena& memory) {
  if constexpr (copies_weights<Leaf>) {
    const numbers weights = leaf.term.target.weights;
    A* copy = memory.template take<A>(static_cast<std::size_t>(weights.size()));
    for (index c = 0; c < weights.size(); ++c) copy[c] = static_cast<A>(weights[c]);
    return copy;
  } else {
    return nullptr;
  }
}

/// Fills the outputs of row terms and returns Σ scale · factor · weight · loss.
template <template <class, class...> class Job, class View, class... Leaf>
double sum_rows(cpu const& backend, Job<View, Leaf...> job) {
  using worker = row_worker<Job<View, Leaf...>>;
  using A = typename Job<View, Leaf...>::A;
  const index columns = detail::columns_of(job.prediction);

  constexpr int weighed = (int(copies_weights<Leaf>) + ... + 0);
  const scratch<scratch_for::class_weights> weights(weighed * arena::room_for<A>(std::size_t(columns)));
  if constexpr (weighed > 0) {
    arena memory(weights.data());
    std::size_t k = 0;
    job.leaves.each([&](auto const& leaf) { job.class_weights[k++] = class_weights_of<A>(leaf, memory); });
  }
  job.streaming = worth_streaming(job.prediction, job.out.gradient);

  return sum_over_chunks(backend, chunk_plan<A>(job.prediction), worker::bytes(job.prediction, columns),
                         [&](index begin, index end, std::byte* m) { return worker(job, m).run(begin, end); });
}

/// Returns the bytes that a leaf needs for its first sweep over regions.
template <class View, class Leaf>
std::size_t region_bytes(View prediction, Leaf const& leaf) noexcept {
  if constexpr (detail::sorts_pixels<typename Leaf::term_type>) {
    return lovasz_bytes(prediction, leaf);
  } else if constexpr (detail::is_region_loss<typename Leaf::term_type>) {
    return bytes_of_sums<region_sweep<View, Leaf>>(prediction, leaf);
  } else {
    return 0;
  }
}
/// Computes a region loss, adds it to `value` and returns the leaf of its rows; returns other leaves as they are.
template <class View, class Leaf>
auto without_regions(cpu const& backend, View prediction, Leaf leaf, double& scale, double& value, arena& memory) {
  if constexpr (detail::sorts_pixels<typename Leaf::term_type>) {
    return sort_regions(backend, prediction, leaf, scale, value, memory);
  } else {
    if constexpr (detail::is_region_loss<typename Leaf::term_type>)
      value += sum_regions<region_sweep<View, Leaf>>(backend, prediction, leaf, scale, memory);
    return leaf;
  }
}

/// The same for an objective with region losses; returns the sum of all terms.
template <class View, class... Leaf, std::size_t... I>
double sum_regions_and_rows(cpu const& backend, row_job<View, Leaf...> job, std::index_sequence<I...>) {
  const scratch<scratch_for::regions> memory((region_bytes(job.prediction, detail::at<I>(job.leaves)) + ...));
  arena pieces(memory.data());
  double of_regions = 0;
  // In braces, so that they are computed in their order.
  const detail::list leaves{
      without_regions(backend, job.prediction, detail::at<I>(job.leaves), job.scales[I], of_regions, pieces)...};
  if ((detail::is_region_loss<typename Leaf::term_type> && ...) && !job.out.gradient.data) return of_regions;
  return of_regions + leaves.apply([&]<class... Row>(Row const&...) {
    return sum_rows(backend, row_job<View, Row...>{{job.prediction, job.out, leaves}, job.scales, job.columns});
  });
}
template <class View, class... Leaf>
double sum_regions_and_rows(cpu const& backend, row_job<View, Leaf...> const& job) {
  return sum_regions_and_rows(backend, job, std::index_sequence_for<Leaf...>());
}

}  // namespace hone::inline HONE_ABI::on_cpu

#include <hone/core/macros_pop.hpp>
