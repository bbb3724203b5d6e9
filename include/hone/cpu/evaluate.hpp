// SPDX-License-Identifier: MIT
/// Evaluates objectives on the CPU.
#pragma once

#include <hone/core/narrowed.hpp>
#include <hone/core/reduction.hpp>
#include <hone/cpu/boxes/boxes.hpp>
#include <hone/cpu/elements/elements.hpp>
#include <hone/cpu/elements/regions.hpp>
#include <hone/cpu/memory/eigen_views.hpp>
#include <hone/cpu/rows/rows.hpp>
#include <hone/loss/apart.hpp>
#include <hone/loss/evaluable.hpp>
#include <hone/loss/row_facts.hpp>

#include <algorithm>
#include <array>
#include <type_traits>

#include <hone/core/macros_push.hpp>

namespace hone::inline HONE_ABI {

namespace detail {

/// Checks all arguments of evaluate but the reduction.
template <class View, class... Leaf>
void check_arguments(list<Leaf...> const& all, View prediction, typename outputs_of<View>::type const& out) {
  constexpr sum_of kind = kind_of_sum<Leaf...>();
  require_valid(prediction, "prediction");
  require_like_if_present(out.gradient, "gradient", prediction);
  all.each([&](auto const& l) { on_cpu::check_leaf(prediction, l); });
  if constexpr (any_region_loss<Leaf...>)
    require_no_losses_of_rows(out.unreduced, kind == sum_of::rows ? "row" : "element");
  const index rows = rows_of(prediction);
  require_row_facts(out, all, rows);
  require_outputs_apart(prediction, out, all, kind == sum_of::elements ? rows * columns_of(prediction) : rows);
}

/// Sets a gradient, if there is one, to 0.
template <class View>
void clear_if_present(View gradient) {
  if (gradient.data)
    for (index i = 0; i < rows_of(gradient); ++i) on_cpu::clear_row(gradient, i, columns_of(gradient));
}

/// Sets the padding behind the rows of a gradient, if there is one, to zeros.
template <class T>
void clear_padding(matrix_view<T> v) noexcept {
  if (!v.data) return;
  for (index i = 0; i < v.rows; ++i) std::fill(v.row(i) + v.columns, v.row(i) + v.row_stride, static_cast<T>(0.0f));
}
template <class T>
void clear_padding(image_view<T>) noexcept {}

/// Checks all arguments before it writes. If there is nothing to average, the value and the gradient are 0
/// for any logits; the unreduced losses are still written.
template <class View, class... Leaf>
double evaluate_leaves(cpu const& backend, list<Leaf...> const& all, View prediction,
                       typename outputs_of<View>::type out, reduction how) {
  constexpr sum_of kind = kind_of_sum<Leaf...>();
  using A = accumulator_t<number_of<View>>;
  check_arguments(all, prediction, out);
  const index rows = rows_of(prediction), columns = columns_of(prediction);
  const index each = count_of_row(how, kind == sum_of::elements, columns);
  const auto scales = all.apply(
      [&](auto const&... l) { return std::array{factor_of(how, on_cpu::divisor_of(l, all, rows, each))...}; });

  const bool counts =
      std::any_of(scales.begin(), scales.end(), [](double s) { return s != 0 || any_region_loss<Leaf...>; });
  const auto gradient = out.gradient;
  if (!counts) out.gradient.data = nullptr;  // cleared at the end: it may be the prediction, which the losses read
  double total = 0;
  if (columns == 0) {  // rows without classes do not count
    if (kind == sum_of::rows && out.unreduced) std::fill_n(out.unreduced, rows, A(0));
  } else if constexpr (any_region_loss<Leaf...> && kind == sum_of::elements) {
    total = on_cpu::sum_regions_and_elements(
        backend, on_cpu::element_job<View, Leaf...>{{prediction, out, all}, scales, columns});
  } else if constexpr (any_region_loss<Leaf...>) {
    total =
        on_cpu::sum_regions_and_rows(backend, on_cpu::row_job<View, Leaf...>{{prediction, out, all}, scales, columns});
  } else if constexpr (kind == sum_of::rows) {
    total = on_cpu::sum_rows(backend, on_cpu::row_job<View, Leaf...>{{prediction, out, all}, scales, columns});
  } else if constexpr (kind == sum_of::elements) {
    total = on_cpu::sum_elements(backend, on_cpu::element_job<View, Leaf...>{{prediction, out, all}, scales, columns});
  } else {
    total = on_cpu::sum_boxes(backend, on_cpu::box_job<View, Leaf...>{{prediction, out, all}, scales});
  }
  if constexpr (kind == sum_of::rows) on_cpu::write_row_counts(out, all, rows, columns);
  if (!counts) {
    total = 0;
    clear_if_present(gradient);
  }
  if (out.zero_padding) clear_padding(gradient);
  if (out.value) *out.value = narrowed<A>(total);
  return total;
}

/// Checks the prediction and the leaves; throws before any output is written.
template <class View, class... Leaf>
void check_leaves(list<Leaf...> const& all, View prediction) {
  require_valid(prediction, "prediction");
  all.each([&](auto const& l) { on_cpu::check_leaf(prediction, l); });
}

template <class Objective, class View>
auto divisors_of_view(Objective const& objective, View prediction) {
  require_evaluable<Objective, View>();
  return leaves(objective).apply([&](auto const&... l) {
    const list all(l...);
    check_leaves(all, prediction);
    constexpr sum_of kind = kind_of_sum<std::remove_cvref_t<decltype(l)>...>();
    const index rows = rows_of(prediction), columns = columns_of(prediction);
    const index each = count_of_row(mean, kind == sum_of::elements, columns);
    return std::array<double, sizeof...(l)>{on_cpu::divisor_of(l, all, rows, each)...};
  });
}

/// Returns evaluate(leaves of the objective). Refuses at compile time what the CPU cannot evaluate.
template <class View, class Objective, class Evaluate>
double with_leaves(Objective const& objective, Evaluate const& evaluate) {
  require_evaluable<Objective, View>();
  static_assert(!has_late_factor<Objective>,
                "evaluate: a hone::device_scalar is read on a device: it goes with hone::cuda");
  if constexpr (hone::objective<Objective>) {
    return evaluate(leaves(objective));
  } else {
    return 0;  // suppresses further errors of the compiler
  }
}

template <class Objective, class View>
double evaluate_view(cpu const& backend, Objective const& objective, View prediction,
                     typename outputs_of<View>::type const& out, reduction how) {
  return with_leaves<View>(objective,
                           [&](auto const& all) { return evaluate_leaves(backend, all, prediction, out, how); });
}

}  // namespace detail

/// Evaluates an objective on a prediction, rows × classes. Returns the reduced value and writes the outputs that are
/// set. Throws hone::invalid_argument, and writes nothing, if a shape, a label or a number per row or class is not
/// valid.
template <class Objective, class T>
double evaluate(cpu const& backend, Objective const& objective, matrix_view<T> prediction,
                std::type_identity_t<outputs<std::remove_const_t<T>>> const& out = {}, reduction how = mean) {
  return detail::evaluate_view(backend, objective, matrix_view<const T>(prediction), out, how);
}

/// The same for the pixels of images: row n · pixels + p is pixel p of image n, also in the targets.
template <class Objective, class T>
double evaluate(cpu const& backend, Objective const& objective, image_view<T> prediction,
                std::type_identity_t<outputs<std::remove_const_t<T>, image_view>> const& out = {},
                reduction how = mean) {
  return detail::evaluate_view(backend, objective, image_view<const T>(prediction), out, how);
}

/// Returns the reduced value and writes no outputs.
template <class Objective, class T, std::same_as<reduction> Reduction>
double evaluate(cpu const& backend, Objective const& objective, matrix_view<T> prediction, Reduction how) {
  return evaluate(backend, objective, prediction, {}, how);
}
template <class Objective, class T, std::same_as<reduction> Reduction>
double evaluate(cpu const& backend, Objective const& objective, image_view<T> prediction, Reduction how) {
  return evaluate(backend, objective, prediction, {}, how);
}

/// Rejects calls with unsuitable arguments: they do not compile and give one clear message.
template <class Objective, class Prediction = detail::anything>
double evaluate(detail::any_call_of<cpu const>, Objective const&, Prediction const&, detail::any_outputs = {},
                detail::anything = {}) {
  detail::refuse_call<Objective, Prediction>();
  return 0;
}
template <class Objective, class Prediction, class Outputs>
double evaluate(detail::any_call_of<cpu const>, Objective const&, Prediction const&, Outputs const&,
                detail::anything = {}) {
  detail::refuse_call<Objective, Prediction>();
  return 0;
}

/// Returns the divisors of hone::mean for the terms of an objective, in the order in which they are written: the number
/// of rows or elements that count, or the sum of their target weights. 0 if there is nothing to average.
template <class Objective, class T>
auto divisors(cpu const&, Objective const& objective, matrix_view<T> prediction) {
  return detail::divisors_of_view(objective, matrix_view<const T>(prediction));
}
template <class Objective, class T>
auto divisors(cpu const&, Objective const& objective, image_view<T> prediction) {
  return detail::divisors_of_view(objective, image_view<const T>(prediction));
}

}  // namespace hone::inline HONE_ABI

#include <hone/core/macros_pop.hpp>
