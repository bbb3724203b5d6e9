// SPDX-License-Identifier: MIT
/// The role of an element-wise term: a formula of a logit x and its target t, and where the targets come from.
#pragma once

#include <hone/core/objective.hpp>
#include <hone/core/operand.hpp>
#include <hone/core/view.hpp>
#include <hone/core/view_check.hpp>
#include <hone/target/classes.hpp>

namespace hone {

/// value and gradient by x of one element.
template <class F>
concept element_formula = requires(F const& f, double x) {
  { f(x, x) } -> std::same_as<value_grad<double>>;
};

struct element_term_base : objective_base {};

/// Targets in [0, 1], rows × columns.
template <class View>
struct dense_targets {
  static constexpr bool dense = true;

  View view;

  HONE_HD constexpr bool ignoring() const noexcept { return false; }
  HONE_HD constexpr bool ignores(index) const noexcept { return false; }
  void check_shape(auto prediction) const { detail::require_like(view, "targets", prediction); }
};

/// One-hot targets: 1 at the row's label, 0 elsewhere; a label outside [0, columns) is background.
template <class Label>
struct one_hot_targets {
  static constexpr bool dense = false;

  classes_target<Label> labels;

  HONE_HD constexpr bool ignoring() const noexcept { return labels.ignoring(); }
  HONE_HD bool ignores(index i) const noexcept { return labels.ignores(i); }
  void check_shape(auto prediction) const {
    labels.check_shape(detail::rows_of(prediction), detail::columns_of(prediction));
  }
};

template <element_formula Formula, class Targets>
struct element_term : element_term_base {
  Formula formula;
  Targets targets;

  element_term(Formula formula_, Targets targets_) : formula(formula_), targets(targets_) {}
};

template <class T>
concept elementwise = std::derived_from<T, element_term_base>;

namespace detail {

template <class F, class T>
auto element_loss(F formula, matrix_view<T> targets) {
  using view = matrix_view<const T>;
  return element_term<F, dense_targets<view>>(formula, {targets});
}
template <class F, class T>
auto element_loss(F formula, image_view<T> targets) {
  using view = image_view<const T>;
  return element_term<F, dense_targets<view>>(formula, {targets});
}
template <class F, class Label>
auto element_loss(F formula, classes_target<Label> labels) {
  return element_term<F, one_hot_targets<Label>>(formula, {labels});
}

/// Targets of an element-wise loss: a view, or hone::classes.
template <class T>
concept element_targets =
    requires(value_grad<double> (*formula)(double, double), T targets) { element_loss(formula, targets); };

}  // namespace detail
}  // namespace hone
