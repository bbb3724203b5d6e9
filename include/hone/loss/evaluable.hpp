// SPDX-License-Identifier: MIT
/// The compile-time checks of every backend's evaluate.
#pragma once

#include <hone/loss/box/term.hpp>
#include <hone/loss/element/term.hpp>
#include <hone/loss/region/term.hpp>
#include <hone/loss/row/term.hpp>

#include <hone/core/macros_push.hpp>

namespace hone::inline HONE_ABI::detail {

template <class Objective, class View>
constexpr void require_evaluable() {
  static_assert(objective<Objective>,
                "evaluate: the second argument must be an objective, such as hone::cross_entropy(target)");
  static_assert(element<number_of<View>>,
                "evaluate: a prediction holds float, double, or a 16-bit floating-point type");
}

/// Every argument converts to this type, also one in braces. Every backend has an overload of evaluate that takes it
/// and loses against all others: if no other fits, it reports the mistake in one sentence.
struct anything {
  constexpr anything() noexcept = default;
  template <class... X>
  constexpr anything(X&&...) noexcept {}
};
struct any_outputs {
  anything gradient = {}, unreduced = {}, value = {}, log_sum_exp = {}, predicted = {}, correct = {}, counted = {},
           zero_padding = {};
};
/// The backend parameter of such an overload: the conversion makes the overload lose.
template <class Backend>
struct any_call_of {
  any_call_of(Backend&) noexcept {}
};

template <class Prediction>
inline constexpr bool is_view = false;
template <class T>
inline constexpr bool is_view<matrix_view<T>> = true;
template <class T>
inline constexpr bool is_view<image_view<T>> = true;

/// Reports which argument does not fit.
template <class Objective, class Prediction>
constexpr void refuse_call() {
  constexpr bool matrix = requires { bool(Prediction::IsRowMajor); }, sound = objective<Objective>;
  static_assert(sound, "evaluate: the second argument must be an objective, such as hone::cross_entropy(target)");
  static_assert(
      !sound || !matrix,
      "evaluate: the prediction must be a view: hone::matrix_view{z.data(), z.rows(), z.cols()} of a row-major "
      "matrix, hone::image_view{z.data(), 1, z.cols(), z.rows()} of a column-major one, Eigen's default");
  static_assert(!sound || matrix || is_view<Prediction>,
                "evaluate: the prediction must be a hone::matrix_view or hone::image_view, such as "
                "hone::matrix_view{data, rows, columns}");
  static_assert(
      !sound || !is_view<Prediction>,
      "evaluate: outputs are {.gradient = a view of the prediction's kind and type, .unreduced = a pointer, "
      ".value = a pointer}, the pointers to float, or to double where the prediction is double; then comes the "
      "reduction");
}

/// The kind of a sum: losses of rows, of elements, or of boxes.
enum class sum_of : unsigned char { rows, elements, boxes };

template <class... Leaf>
constexpr sum_of kind_of_sum() {
  constexpr bool rows = (row_term<typename Leaf::term_type> && ...);
  constexpr bool elements = (elementwise<typename Leaf::term_type> && ...);
  static_assert(rows || elements || (boxwise<typename Leaf::term_type> && ...),
                "evaluate: a sum may hold row terms (cross_entropy, distillation, ...), element-wise terms "
                "(binary_cross_entropy, sigmoid_focal_loss, ...) or box losses (ciou_loss, ...), not two of these");
  return rows ? sum_of::rows : elements ? sum_of::elements : sum_of::boxes;
}

}  // namespace hone::inline HONE_ABI::detail

#include <hone/core/macros_pop.hpp>
