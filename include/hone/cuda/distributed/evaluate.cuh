// SPDX-License-Identifier: MIT
/// Evaluates objectives on CUDA over the rows of all ranks.
#pragma once

#include <hone/cuda/distributed/divisors.cuh>
#include <hone/cuda/distributed/exact_value.cuh>
#include <hone/cuda/evaluate.cuh>
#include <hone/distributed/rank_reduction.hpp>

#include <type_traits>

#include <hone/core/macros_push.hpp>

namespace hone::inline HONE_ABI {

namespace on_cuda {

/// Where a call has its messages and its factors in the workspace, behind those of a call without ranks.
template <class... Leaf>
struct workspace_over_ranks {
  using layout = detail::words_of_divisors<Leaf...>;
  static constexpr index value_words = detail::status_words + exact_words::count;
  static constexpr index most = detail::status_words + index(layout::most) + value_words;
  static constexpr std::size_t bytes =
      aligned_bytes(grid_scratch::bytes) + sizeof(std::int64_t) * most + sizeof(double) * sizeof...(Leaf);

  std::int64_t* divisors;  // status, and divisor_words
  std::int64_t* value;     // status, and an exact sum
  double* factors;

  explicit workspace_over_ranks(cuda const& backend) noexcept
      : divisors(reinterpret_cast<std::int64_t*>(static_cast<char*>(backend.workspace()) +
                                                 aligned_bytes(grid_scratch::bytes))),
        value(divisors + most - value_words),
        factors(reinterpret_cast<double*>(divisors + most)) {}

  static index divisor_words(reduction how) noexcept { return detail::status_words + index(layout::size(how)); }
};

/// Enqueues the sum of the divisors over ranks, and writes the factors.
template <class View, class... Leaf, device_communicator C>
void enqueue_divisors(cuda const& backend, detail::list<Leaf...> const& all, View prediction, C const& ranks,
                      device_reduction const& how, double least, workspace_over_ranks<Leaf...> const& in) {
  using layout = detail::words_of_divisors<Leaf...>;
  const index rows = detail::rows_of(prediction), columns = detail::columns_of(prediction);
  const bool of_elements = detail::kind_of_sum<Leaf...>() == detail::sum_of::elements;
  const index each =
      detail::kind_of_sum<Leaf...>() == detail::sum_of::boxes ? 1 : detail::count_of_row(how, of_elements, columns);
  const auto counted =
      all.apply([&](Leaf const&... leaf) { return counted_terms<sizeof...(Leaf)>{{must_count(leaf, all)...}}; });
  bool any = false;
  for (const bool one : counted.at) any = any || one;
  const bool counts = any && detail::is_mean(how);
  if (how.how != reduction::kind::sum)
    launch("evaluate: divisors_kernel", divisors_kernel<Leaf...>, {counts ? blocks_for(rows) : 1, block_threads},
           backend.stream(), all, counted, how, rows, columns, each, in.divisors + detail::status_words);
  ranks.sum(in.divisors, static_cast<std::size_t>(in.divisor_words(how)), backend.stream());
  launch("evaluate: divide_kernel", divide_kernel<layout>, {1, int(sizeof...(Leaf))}, backend.stream(), in.divisors,
         how, each, least, in.factors);
}

/// Enqueues the kernels of a call without ranks, whose values go to `words`, if any.
template <class View, class... Leaf>
void enqueue_part(cuda const& backend, job_over_ranks<View, Leaf...> const& work) {
  constexpr detail::sum_of kind = detail::kind_of_sum<Leaf...>();
  if (detail::rows_of(work.prediction) == 0 || detail::columns_of(work.prediction) == 0)
    return write_nothing(backend, work.out, kind == detail::sum_of::elements ? 0 : detail::rows_of(work.prediction));
  if constexpr (kind == detail::sum_of::rows) {
    launch_predictions(backend, work.prediction, work.out.predicted);
    launch_rows(backend, work);
    launch_row_facts(backend, work.out, work.leaves, detail::rows_of(work.prediction),
                     detail::columns_of(work.prediction));
  } else if constexpr (kind == detail::sum_of::elements) {
    launch_elements(backend, work);
  } else {
    launch_boxes(backend, work);
  }
  clear_padding(backend, work.out);
}

template <class View, class... Leaf, class C, class Divisors>
void evaluate_over_ranks(cuda& backend, detail::list<Leaf...> const& all, View prediction,
                         typename detail::outputs_of<View>::type const& out, rank_reduction<C, Divisors> const& how) {
  static_assert(!detail::any_region_loss<Leaf...>,
                "evaluate: a region loss is a function of sums over the pixels of its region, and has no value over "
                "ranks: evaluate it per rank, by a hone::reduction");
  static_assert(device_communicator<C>,
                "evaluate: on hone::cuda the ranks of over_ranks must be a hone::device_communicator, such as "
                "hone::nccl or hone::device_self");
  constexpr bool divides = std::derived_from<Divisors, reduction>;
  static_assert(divides || std::same_as<Divisors, rank_divisors<sizeof...(Leaf)>>,
                "evaluate: the rank_divisors must have one divisor per term of the objective");
  using workspace = workspace_over_ranks<Leaf...>;
  using A = accumulator_t<detail::number_of<View>>;
  if constexpr (!detail::any_region_loss<Leaf...> && device_communicator<C>) {
    index words = 0;
    numbers device_count;
    if constexpr (divides) {
      words = workspace::divisor_words(how.divisors());
      device_count = device_reduction(how.divisors()).device_count;
    }
    take_part(backend, how.ranks(), {words, out.value ? workspace::value_words : 0}, [&] {
      detail::check_call(all, prediction, out, device_count);
      if (how.part()) detail::fail("evaluate: into is for hone::cpu; on hone::cuda leave outputs.value out");
      backend.reserve(workspace::bytes);
    });
    const device_of_stream device(backend.placed());
    const workspace in(backend);
    clear_message(backend, in.divisors, workspace::most);
    job_over_ranks<View, Leaf...> work{
        {{prediction, out, all}, {}, grid_scratch(backend.workspace()), backend.invalid_labels()},
        out.value ? in.value + detail::status_words : nullptr,
        static_cast<A>(how.gradient_factor())};
    work.out.value = nullptr;
    for (std::size_t k = 0; k < sizeof...(Leaf); ++k) work.scales[k] = {0, in.factors + k, {}};
    if constexpr (divides) {
      enqueue_divisors(backend, all, prediction, how.ranks(), how.divisors(), how.least_divisor(), in);
    } else {
      const auto factors = detail::factors_of(how.divisors().of_term, how.least_divisor());
      for (std::size_t k = 0; k < sizeof...(Leaf); ++k) work.scales[k] = {factors[k], nullptr, {}};
    }
    enqueue_part(backend, work);
    if (!out.value) return;
    how.ranks().sum(in.value, static_cast<std::size_t>(workspace::value_words), backend.stream());
    launch("evaluate: value_kernel", value_kernel<A>, {1, 1}, backend.stream(), in.value, out.value);
  }
}

template <class Objective, class View, class C, class Divisors>
void enqueue_over_ranks(cuda& backend, Objective const& objective, View prediction,
                        typename detail::outputs_of<View>::type const& out, rank_reduction<C, Divisors> const& how) {
  detail::require_evaluable<Objective, View>();
  if constexpr (hone::objective<Objective>)
    evaluate_over_ranks(backend, detail::leaves(objective), prediction, out, how);
}

}  // namespace on_cuda

/// hone::over_ranks with a count in device memory: hone::mean_over(hone::device_scalar(pointer)).
template <class C>
rank_reduction<C, device_reduction> over_ranks(C const& ranks, device_reduction const& how, rank_gradients gradients) {
  detail::require_ranks<C>();
  return {ranks, how, gradients};
}

/// Enqueues the evaluation of an objective on this rank's rows of a prediction, as documented for hone::evaluate on
/// CUDA, reduced over the rows of all ranks (hone::over_ranks, whose ranks are a hone::device_communicator):
///
///     hone::evaluate(gpu, objective, logits, {.gradient = g, .value = value},
///                    hone::over_ranks(ranks, hone::mean, hone::rank_gradients::averaged));
///
/// Writes the value of all rows to outputs.value: the same bits on every rank, for any number of ranks and any cut of
/// the rows, if all ranks' rows are aligned alike, as rows of whole allocations are. The same holds for `unreduced`,
/// and for the gradient if ranks sum gradients. A rank may have no rows. `log_sum_exp`, `predicted`, `correct` and
/// `counted` are of this rank's rows. Each row's, element's or box's value is
/// rounded to the type of the arithmetic; they are added exactly.
///
/// Two sums over ranks, in the order of the stream: the divisors with the status, 3 to 73 words of 64 bits for a term,
/// before the gradient is written; and the value with the status, 73 words, if outputs.value is given, which must be so
/// on all ranks or on none. The host never waits, and a call may be captured if all ranks capture and replay it. With
/// divisors that were summed before, the first sum is left out. `into` is refused.
///
/// Throws hone::invalid_argument where evaluate on CUDA does; the rank still takes part in the sums. On all other ranks
/// the value is then NaN, and the gradient is 0 (but with divisors that were summed before it is what it is).
template <class Objective, class T, class C, class Divisors>
void evaluate(cuda& backend, Objective const& objective, matrix_view<T> prediction,
              std::type_identity_t<outputs<std::remove_const_t<T>>> const& out,
              rank_reduction<C, Divisors> const& how) {
  on_cuda::enqueue_over_ranks(backend, objective, matrix_view<const T>(prediction), out, how);
}
/// The same for the pixels of images. Ranks may have different numbers of images, and images of different sizes.
template <class Objective, class T, class C, class Divisors>
void evaluate(cuda& backend, Objective const& objective, image_view<T> prediction,
              std::type_identity_t<outputs<std::remove_const_t<T>, image_view>> const& out,
              rank_reduction<C, Divisors> const& how) {
  on_cuda::enqueue_over_ranks(backend, objective, image_view<const T>(prediction), out, how);
}

/// Returns the bytes of workspace that evaluate over ranks needs for an objective.
template <objective Objective, device_communicator C>
std::size_t workspace_bytes(Objective const& objective, C const&) {
  return detail::leaves(objective).apply(
      []<class... Leaf>(Leaf const&...) { return on_cuda::workspace_over_ranks<Leaf...>::bytes; });
}

}  // namespace hone::inline HONE_ABI

#include <hone/core/macros_pop.hpp>
