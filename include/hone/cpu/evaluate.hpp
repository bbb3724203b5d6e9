// SPDX-License-Identifier: MIT
/// The verb of losses on the CPU.
#pragma once

#include <hone/cpu/elements.hpp>
#include <hone/cpu/rows.hpp>

#include <type_traits>

namespace hone {

namespace detail {

template <class Leaf>
inline constexpr bool is_row_leaf = row_term<typename Leaf::term_type>;
template <class Leaf>
inline constexpr bool is_element_leaf = elementwise<typename Leaf::term_type>;

template <class View, class Outputs, class... Leaf>
double evaluate_leaves(cpu const& backend, std::tuple<Leaf...> const& all, View prediction, Outputs const& out,
                       reduction how) {
  constexpr bool by_rows = (is_row_leaf<Leaf> && ...), by_elements = (is_element_leaf<Leaf> && ...);
  static_assert(by_rows || by_elements,
                "evaluate: a sum may hold row terms (cross_entropy, distillation, ...) or element-wise terms "
                "(binary_cross_entropy, sigmoid_focal_loss, ...), not both");
  require_valid(prediction, "prediction");
  if (out.gradient.data != nullptr || rows_of(out.gradient) != 0 || columns_of(out.gradient) != 0) {
    require_shape(out.gradient, "gradient", rows_of(prediction), columns_of(prediction));
    if (!same_layout(out.gradient, prediction))
      fail("evaluate: gradient and prediction cut their pixels into images differently");
  }
  if constexpr (by_rows) {
    return on_cpu::evaluate_rows(backend, all, prediction, out, how);
  } else {
    return on_cpu::evaluate_elements(backend, all, prediction, out, how);
  }
}

}  // namespace detail

/// Evaluates an objective on a prediction, rows × classes, and returns its reduced value; writes the outputs
/// that are given. Throws hone::invalid_argument, and writes nothing, where a shape, a label or a number per
/// row or class does not fit.
template <class Objective, class T>
double evaluate(cpu const& backend, Objective const& objective, matrix_view<T> prediction,
                std::type_identity_t<outputs<std::remove_const_t<T>>> const& out = {}, reduction how = mean) {
  static_assert(hone::objective<Objective>,
                "evaluate: the second argument must be an objective, such as hone::cross_entropy(target)");
  static_assert(element<std::remove_const_t<T>>,
                "evaluate: a prediction holds float, double, or a 16-bit floating-point type");
  return detail::evaluate_leaves(backend, detail::leaves(objective), matrix_view<const T>(prediction), out, how);
}

/// The same per pixel of images: row n · pixels + p is pixel p of image n, and targets count rows that way.
template <class Objective, class T>
double evaluate(cpu const& backend, Objective const& objective, image_view<T> prediction,
                std::type_identity_t<outputs<std::remove_const_t<T>, image_view>> const& out = {},
                reduction how = mean) {
  static_assert(hone::objective<Objective>,
                "evaluate: the second argument must be an objective, such as hone::cross_entropy(target)");
  static_assert(element<std::remove_const_t<T>>,
                "evaluate: a prediction holds float, double, or a 16-bit floating-point type");
  return detail::evaluate_leaves(backend, detail::leaves(objective), image_view<const T>(prediction), out, how);
}

}  // namespace hone
