// SPDX-License-Identifier: MIT
/// A box loss as a term: a formula of a predicted box and its target, the format of both, and the targets.
#pragma once

#include <hone/core/lanes.hpp>
#include <hone/core/objective.hpp>
#include <hone/core/view.hpp>
#include <hone/core/view_check.hpp>
#include <hone/loss/box/box_pair.hpp>

#include <hone/core/macros_push.hpp>

namespace hone::inline HONE_ABI {

namespace detail {

/// Compile a formula on the type `lanes`, which allows only the operations that every operand has.
template <class F>
void try_corner_formula(F const& f) {
  static_cast<void>(f(box<lanes>(), box<lanes>()));
}
template <class F>
void try_pair_formula(F const& f) {
  static_cast<void>(f(box_pair<lanes>(box<lanes>(), box<lanes>()))),
      static_cast<void>(f(box_pair<lanes, centers_format>(box<lanes>(), box<lanes>())));
}
template <class F>
inline constexpr bool is_corner_formula = (static_cast<void>(&try_corner_formula<F>), true);
template <class F>
inline constexpr bool is_pair_formula = (static_cast<void>(&try_pair_formula<F>), true);

}  // namespace detail

/// A formula of corners, as in darknet: value and gradient by the corners of the predicted box, the first argument.
template <class F>
concept corner_formula = requires(F const& f, box<double> b) {
  { f(b, b) } -> std::same_as<box_grad<double>>;
} && detail::is_corner_formula<F>;

/// A formula of a pair of boxes: value and gradient by the numbers of the predicted box in its format. The result must
/// be finite for finite boxes.
template <class F>
concept box_formula =
    corner_formula<F> || (requires(F const& f, box_pair<double> b, box_pair<double, centers_format> c) {
      { f(b) } -> std::same_as<box_grad<double>>;
      { f(c) } -> std::same_as<box_grad<double>>;
    } && detail::is_pair_formula<F>);

namespace detail {

/// Returns the value of a formula and its derivative by the predicted box's numbers, for numbers as numbers_of of the
/// format returns them.
template <box_format Format, box_formula Formula, operand V>
HONE_HD HONE_INLINE box_grad<V> apply_to_valid(Formula const& formula, box<V> const& p, box<V> const& t) noexcept {
  if constexpr (corner_formula<Formula>) {
    const two_boxes<V> corners = Format::corners_of(p, t);
    const box_grad<V> y = formula(corners.predicted, corners.target);
    return {y.value, Format::by_corners(y.grad)};
  } else {
    return formula(box_pair<V, Format>(p, t));
  }
}

/// Returns the value of a formula for the four numbers of a predicted box and of its target; stores the derivative by
/// the former in `grad`.
template <box_format Format, box_formula Formula, operand V>
HONE_HD HONE_INLINE V apply_formula(Formula const& formula, V const (&predicted)[4], V const (&target)[4],
                                    V (&grad)[4]) noexcept {
  const box_grad<V> y =
      detail::apply_to_valid<Format>(formula, Format::numbers_of(predicted), Format::numbers_of(target));
  Format::chain_numbers(predicted, y.grad, grad);
  return y.value;
}

}  // namespace detail

struct box_term_base : objective_base {};

template <box_formula Formula, box_format Format, class View>
struct box_term : box_term_base {
  using format = Format;

  Formula formula;
  View boxes;

  box_term(Formula formula_, View boxes_) : formula(formula_), boxes(boxes_) {}

  void check_shape(auto prediction) const {
    static_assert(
        requires { detail::same_layout(boxes, prediction); },
        "evaluate: boxes and prediction must both be hone::matrix_view or both hone::image_view");
    if (const index columns = detail::columns_of(prediction); columns != 4)
      detail::fail("evaluate: prediction is %jd x %jd, boxes are rows of 4", std::intmax_t(detail::rows_of(prediction)),
                   std::intmax_t(columns));
    detail::require_like(boxes, "boxes", prediction);
  }
};

template <class T>
concept boxwise = std::derived_from<T, box_term_base>;

namespace detail {

/// Makes a term of a box loss and its targets: a matrix of n x 4 numbers, or an image_view of 4 channels, whose planes
/// hold x1, y1 and so on.
template <class F, class Format, class Boxes>
auto box_loss(F formula, Format, Boxes boxes) {
  static_assert(any_view<Boxes>, "box loss: the targets must be a hone::matrix_view or hone::image_view of boxes");
  static_assert(box_format<Format>, "box loss: the format must be hone::corners, hone::centers or hone::top_left");
  if constexpr (any_view<Boxes> && box_format<Format>)
    return box_term<F, Format, decltype(const_view(boxes))>(formula, const_view(boxes));
}

}  // namespace detail
}  // namespace hone::inline HONE_ABI

#include <hone/core/macros_pop.hpp>
