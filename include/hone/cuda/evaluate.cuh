// SPDX-License-Identifier: MIT
/// evaluate, the function of losses, on CUDA.
#pragma once

#include <hone/cuda/boxes/boxes.cuh>
#include <hone/cuda/elements/elements.cuh>
#include <hone/cuda/elements/regions.cuh>
#include <hone/cuda/rows/lovasz.cuh>
#include <hone/cuda/rows/regions.cuh>
#include <hone/cuda/rows/row_facts.cuh>
#include <hone/cuda/rows/rows.cuh>
#include <hone/loss/apart.hpp>
#include <hone/loss/evaluable.hpp>

#include <type_traits>

#include <hone/core/macros_push.hpp>

namespace hone::inline HONE_ABI {

namespace detail {

template <class... Leaf>
constexpr std::size_t workspace_for(list<Leaf...> const&) noexcept {
  return on_cuda::grid_scratch::bytes + sizeof(double) * sizeof...(Leaf);  // and a factor per term
}

/// What reads a row of a region loss: rows or elements.
template <class View, class Leaf>
struct region_reader {
  using type = on_cuda::region_row<View, Leaf>;
};
template <class View, class Leaf>
  requires elementwise<typename Leaf::term_type>
struct region_reader<View, Leaf> {
  using type = on_cuda::region_elements<View, Leaf>;
};
template <class View, class Leaf>
on_cuda::region_plan plan_of_regions(View prediction, Leaf const& leaf) noexcept {
  region_policy const& policy = region_of(leaf.term).policy;
  if constexpr (sorts_pixels<typename Leaf::term_type>)
    return on_cuda::plan_sort(prediction, policy);
  else
    return on_cuda::plan_regions<typename region_reader<View, Leaf>::type>(prediction, policy);
}
template <class A, class Leaf>
std::size_t bytes_of_regions(Leaf const&, on_cuda::region_plan const& plan) noexcept {
  const std::size_t sums = on_cuda::region_memory::bytes(plan, sizeof(A));
  return sorts_pixels<typename Leaf::term_type> ? sums + on_cuda::sort_memory<A>::bytes(plan) : sums;
}

/// Returns the bytes that the region losses of an objective need besides.
template <class View, class... Leaf>
std::size_t workspace_for_regions(list<Leaf...> const& all, View prediction) noexcept {
  using A = accumulator_t<number_of<View>>;
  std::size_t bytes = 0;
  all.each([&]<class L>([[maybe_unused]] L const& leaf) {
    if constexpr (is_region_loss<typename L::term_type>)
      if (rows_of(prediction) > 0) bytes += bytes_of_regions<A>(leaf, plan_of_regions(prediction, leaf));
  });
  return bytes;
}

/// Returns the factor of the reduction for one term; enqueues a kernel if only the device can count the rows. `each` is
/// the count of one row.
template <class Weight>
on_cuda::scale_of_leaf counted_scale(cuda const& backend, Weight const& weight, index rows, index each,
                                     on_cuda::grid_scratch scratch, double* counted) {
  on_cuda::launch("evaluate: count_kernel", on_cuda::count_kernel<Weight>,
                  {on_cuda::blocks_for(rows), on_cuda::block_threads}, backend.stream(), rows, weight,
                  static_cast<double>(each), counted, scratch);
  return {0, counted, {}};
}
template <elementwise Term, int Weights, class... All>
on_cuda::scale_of_leaf scale_for(cuda const& backend, leaf<Term, Weights> const& leaf, list<All...> const&, index rows,
                                 index columns, device_reduction const& how, on_cuda::grid_scratch scratch,
                                 double* counted) {
  if constexpr (Term::is_region_loss) return {};  // set by launch_regions
  auto const& targets = leaf.term.targets;
  const index each = count_of_row(how, true, columns);
  if (!is_mean(how) || !targets.ignoring())
    return {factor_of(how, static_cast<double>(rows) * static_cast<double>(each)), nullptr, how.device_count};
  return counted_scale(backend, on_cuda::unignored_rows<std::remove_cvref_t<decltype(targets)>>{targets}, rows, each,
                       scratch, counted);
}
template <boxwise Term, int Weights, class... All>
on_cuda::scale_of_leaf scale_for(cuda const&, leaf<Term, Weights> const&, list<All...> const&, index rows, index,
                                 device_reduction const& how, on_cuda::grid_scratch, double*) {
  return {factor_of(how, static_cast<double>(rows)), nullptr, how.device_count};
}
template <row_term Term, int Weights, class... All>
on_cuda::scale_of_leaf scale_for(cuda const& backend, leaf<Term, Weights> const& leaf, list<All...> const& all,
                                 index rows, index columns, device_reduction const& how, on_cuda::grid_scratch scratch,
                                 double* counted) {
  if constexpr (is_region_loss<Term>) return {};  // set by launch_regions
  const index each = count_of_row(how, false, columns);
  if (!is_mean(how) || !has_labels<hone::detail::leaf<Term, Weights>, All...>)
    return {factor_of(how, static_cast<double>(rows) * static_cast<double>(each)), nullptr, how.device_count};
  return counted_scale(backend, on_cuda::counting_rows<hone::detail::leaf<Term, Weights>, All...>{leaf, all, columns},
                       rows, each, scratch, counted);
}

/// Enqueues the first sweep of the region losses of an objective, and sets their factors and their tables.
template <class View, class... Leaf>
void launch_regions(cuda const& backend, on_cuda::job<View, Leaf...>& work, double* memory) {
  using A = accumulator_t<number_of<View>>;
  auto* scale = work.scales;
  work.leaves.each([&]<class L>([[maybe_unused]] L& leaf) {
    if constexpr (is_region_loss<typename L::term_type>) {
      const on_cuda::region_plan plan = plan_of_regions(work.prediction, leaf);
      const on_cuda::region_memory of_leaf(plan, memory);
      if constexpr (sorts_pixels<typename L::term_type>)
        on_cuda::launch_sort(backend, work.prediction, leaf, plan, of_leaf,
                             memory + on_cuda::region_memory::bytes(plan, sizeof(A)) / sizeof(double));
      else
        on_cuda::launch_regions<typename region_reader<View, L>::type>(backend, work.prediction, leaf, plan, of_leaf);
      *scale = {0, of_leaf.scale, {}};
      memory += bytes_of_regions<A>(leaf, plan) / sizeof(double);
    }
    ++scale;
  });
}
/// Enqueues the rows, with other leaves in place of those that sorted their pixels.
template <class View, class... Leaf, class... Row>
void launch_rows_of_regions(cuda const& backend, on_cuda::job<View, Leaf...> const& work, list<Row...> const& rows) {
  on_cuda::job<View, Row...> of_rows{{work.prediction, work.out, rows}, {}, work.scratch, work.invalid_labels};
  for (std::size_t k = 0; k < sizeof...(Row); ++k) of_rows.scales[k] = work.scales[k];
  on_cuda::launch_rows(backend, of_rows);
}
template <class View, class... Leaf>
void launch_rows_of_regions(cuda const& backend, on_cuda::job<View, Leaf...> const& work) {
  if constexpr ((sorts_pixels<typename Leaf::term_type> || ...)) {
    work.leaves.apply([&](Leaf const&... leaf) {
      launch_rows_of_regions(backend, work, list(on_cuda::sorted_leaf(work.prediction, leaf)...));
    });
  } else {
    on_cuda::launch_rows(backend, work);
  }
}

/// Enqueues the addition of the region losses to the value that the rows or elements have written.
template <class View, class... Leaf>
void launch_region_values(cuda const& backend, on_cuda::job<View, Leaf...> const& work) {
  using A = accumulator_t<number_of<View>>;
  auto* scale = work.scales;
  work.leaves.each([&]<class L>([[maybe_unused]] L const& leaf) {
    if constexpr (is_region_loss<typename L::term_type>)
      on_cuda::launch("evaluate: region_value_kernel", on_cuda::region_value_kernel<A, L>, {1, 1}, backend.stream(),
                      leaf, scale->counted + 1, work.out.value);
    ++scale;
  });
}

/// Checks all arguments of a call.
template <class View, class... Leaf>
void check_call(list<Leaf...> const& all, View prediction, typename outputs_of<View>::type const& out,
                numbers device_count) {
  constexpr sum_of kind = kind_of_sum<Leaf...>();
  require_valid(prediction, "prediction");
  const index rows = rows_of(prediction), columns = columns_of(prediction);
  require_like_if_present(out.gradient, "gradient", prediction);
  if ((kind == sum_of::rows || any_region_loss<Leaf...>) && columns > on_cuda::max_columns)
    fail("evaluate: prediction has %jd columns, must be at most %jd", std::intmax_t(columns),
         std::intmax_t(on_cuda::max_columns));
  all.each([&](auto const& l) { on_cuda::check_leaf(prediction, l); });
  if constexpr (any_region_loss<Leaf...>)
    require_no_losses_of_rows(out.unreduced, kind == sum_of::rows ? "row" : "element");
  require_row_facts(out, all, rows);
  require_outputs_apart(prediction, out, all, kind != sum_of::elements ? rows : rows * columns)
      .require_apart_from("the count of mean_over", footprint_of(device_count));
}

/// Checks all arguments before it enqueues anything.
template <class View, class... Leaf>
void enqueue_leaves(cuda& backend, list<Leaf...> const& all, View prediction,
                    typename outputs_of<View>::type const& out, device_reduction const& how) {
  constexpr sum_of kind = kind_of_sum<Leaf...>();
  constexpr bool by_rows = kind != sum_of::elements;
  check_call(all, prediction, out, how.device_count);
  const index rows = rows_of(prediction), columns = columns_of(prediction);
  backend.reserve(workspace_for(all) + workspace_for_regions(all, prediction));

  const on_cuda::device_of_stream device(backend.placed());
  if (rows == 0 || columns == 0) return on_cuda::write_nothing(backend, out, by_rows ? rows : 0);
  const on_cuda::grid_scratch scratch(backend.workspace());
  double* counted = reinterpret_cast<double*>(static_cast<char*>(backend.workspace()) + on_cuda::grid_scratch::bytes);
  on_cuda::job<View, Leaf...> work{{prediction, out, all}, {}, scratch, backend.invalid_labels()};
  auto* scale = work.scales;
  all.each([&](auto const& l) { *scale++ = scale_for(backend, l, all, rows, columns, how, scratch, counted++); });
  if constexpr (any_region_loss<Leaf...>) {
    launch_regions(backend, work, counted);
    if constexpr (kind == sum_of::rows)
      launch_rows_of_regions(backend, work);
    else
      on_cuda::launch_elements(backend, work);
    if (out.value) launch_region_values(backend, work);
  } else if constexpr (kind == sum_of::rows) {
    on_cuda::launch_predictions(backend, prediction, out.predicted);
    on_cuda::launch_rows(backend, work);
    on_cuda::launch_row_facts(backend, out, all, rows, columns);
  } else if constexpr (kind == sum_of::elements) {
    on_cuda::launch_elements(backend, work);
  } else {
    on_cuda::launch_boxes(backend, work);
  }
  on_cuda::clear_padding(backend, out);
}

template <class Objective, class View>
void enqueue(cuda& backend, Objective const& objective, View prediction, typename outputs_of<View>::type const& out,
             device_reduction const& how) {
  require_evaluable<Objective, View>();
  if constexpr (hone::objective<Objective>) enqueue_leaves(backend, leaves(objective), prediction, out, how);
}

}  // namespace detail

/// Enqueues the evaluation of an objective on a prediction, rows × classes. All data, outputs and vectors are in device
/// memory. Throws hone::invalid_argument, and enqueues nothing, if shapes do not match; hone::cuda_error if a CUDA call
/// fails. Numbers are not checked; a row whose label is not a class counts as ignored.
template <class Objective, class T>
void evaluate(cuda& backend, Objective const& objective, matrix_view<T> prediction,
              std::type_identity_t<outputs<std::remove_const_t<T>>> const& out = {},
              device_reduction const& how = mean) {
  detail::enqueue(backend, objective, matrix_view<const T>(prediction), out, how);
}

/// The same for every pixel of images: row n · pixels + p is pixel p of image n, and targets use this order of rows.
template <class Objective, class T>
void evaluate(cuda& backend, Objective const& objective, image_view<T> prediction,
              std::type_identity_t<outputs<std::remove_const_t<T>, image_view>> const& out = {},
              device_reduction const& how = mean) {
  detail::enqueue(backend, objective, image_view<const T>(prediction), out, how);
}

/// Evaluates without outputs, which is useful if invalid labels are counted.
template <class Objective, class T, std::convertible_to<device_reduction> Reduction>
void evaluate(cuda& backend, Objective const& objective, matrix_view<T> prediction, Reduction const& how) {
  evaluate(backend, objective, prediction, {}, how);
}
template <class Objective, class T, std::convertible_to<device_reduction> Reduction>
void evaluate(cuda& backend, Objective const& objective, image_view<T> prediction, Reduction const& how) {
  evaluate(backend, objective, prediction, {}, how);
}

/// Calls with wrong types: they do not compile, with an error of one sentence.
template <class Objective, class Prediction = detail::anything>
void evaluate(detail::any_call_of<cuda>, Objective const&, Prediction const&, detail::any_outputs = {},
              detail::anything = {}) {
  detail::refuse_call<Objective, Prediction>();
}
template <class Objective, class Prediction, class Outputs>
void evaluate(detail::any_call_of<cuda>, Objective const&, Prediction const&, Outputs const&, detail::anything = {}) {
  detail::refuse_call<Objective, Prediction>();
}

/// Returns the bytes of workspace that evaluate needs for an objective, for cuda::reserve or memory of the caller. What
/// a region loss needs depends on the prediction's shape; its data is not read.
template <objective Objective>
std::size_t workspace_bytes(Objective const& objective) {
  return detail::leaves(objective).apply([]<class... Leaf>(Leaf const&... leaf) {
    static_assert(!detail::any_region_loss<Leaf...>,
                  "workspace_bytes: an objective with a region loss needs the prediction: "
                  "workspace_bytes(objective, prediction)");
    return detail::workspace_for(detail::list(leaf...));
  });
}
template <objective Objective, detail::any_view View>
std::size_t workspace_bytes(Objective const& objective, View prediction) {
  const auto all = detail::leaves(objective);
  return detail::workspace_for(all) + detail::workspace_for_regions(all, prediction);
}

}  // namespace hone::inline HONE_ABI

#include <hone/core/macros_pop.hpp>
