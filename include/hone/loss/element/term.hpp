// SPDX-License-Identifier: MIT
/// An element-wise term: a formula of a logit x and its target t, and the source of the targets.
#pragma once

#include <hone/core/lanes.hpp>
#include <hone/core/objective.hpp>
#include <hone/core/operand.hpp>
#include <hone/core/view.hpp>
#include <hone/core/view_check.hpp>
#include <hone/target/classes.hpp>
#include <hone/target/probabilities.hpp>

#include <hone/core/macros_push.hpp>

namespace hone::inline HONE_ABI {

namespace detail {

/// Compiles a formula on the type `lanes`, which allows only the operations that every operand has.
template <class F>
void try_element_formula(F const& f) {
  static_cast<void>(f(lanes(), lanes()));
}
template <class F>
inline constexpr bool is_element_formula = (static_cast<void>(&try_element_formula<F>), true);

}  // namespace detail

/// A formula: the value of one element and its derivative by x.
template <class F>
concept element_formula = requires(F const& f, double x) {
  { f(x, x) } -> std::same_as<value_grad<double>>;
} && detail::is_element_formula<F>;

/// A formula that reads, besides, two numbers of the element's class, which a backend computes in a sweep of its own:
/// the elements of a region loss (loss/region/sigmoid.hpp).
template <class F>
concept class_formula = requires(F const& f, double x, bundle<double, 2> const& of_class) {
  { f(x, x, of_class) } -> std::same_as<value_grad<double>>;
} && F::is_region_loss;
template <class F>
concept formula_of_elements = element_formula<F> || class_formula<F>;

struct element_term_base : objective_base {};

namespace detail {

/// `may_name`: the targets are plain labels, whose option `background` can name the label of no class.
[[noreturn, gnu::cold]] inline void fail_one_column(bool may_name) {
  fail(
      "evaluate: prediction has 1 column, of which hone::classes would take label 0 as the positive class: pass 0 and "
      "1 as targets, hone::matrix_view{labels.data(), rows, 1}%s",
      may_name ? "; where 0 is the only class, name the label of background, hone::classes(labels, {.background = -1})"
               : "");
}

}  // namespace detail

/// Targets in [0, 1], rows × columns.
template <class View>
struct dense_targets {
  static constexpr bool dense = true;

  View view;

  HONE_HD constexpr auto views() const { return detail::list(view); }

  HONE_HD constexpr bool ignoring() const noexcept { return false; }
  HONE_HD constexpr bool ignores(index) const noexcept { return false; }
  void check_shape(auto prediction) const { detail::require_like(view, "targets", prediction); }
  void check_values(index, index) const noexcept {}
};

/// One-hot targets: 1 at the row's label, 0 elsewhere; a label outside [0, columns) is background.
template <class Label>
struct one_hot_targets {
  static constexpr bool dense = false;

  classes_target<Label> labels;

  HONE_HD auto views() const { return detail::list(); }
  HONE_HD constexpr bool ignoring() const noexcept { return labels.ignoring(); }
  HONE_HD bool ignores(index i) const noexcept { return labels.ignores(i); }
  void check_shape(auto prediction) const {
    const index columns = detail::columns_of(prediction);
    labels.check_shape(detail::rows_of(prediction), columns);
    if (labels.background.has_value && labels.background.value >= 0 && labels.background.value < columns)
      detail::fail("evaluate: background is %jd, must not be one of the %jd columns",
                   std::intmax_t(labels.background.value), std::intmax_t(columns));
  }
  /// Throws if one column has a label 1, because 0 and 1 then are those of a binary classifier, whose positive is 1.
  void check_values(index rows, index columns) const {
    if (columns != 1 || labels.background.has_value) return;
    for (index i = 0; i < rows; ++i)
      if (labels.label(i) == 1 && !labels.ignores(i)) detail::fail_one_column(true);
  }
};

/// Targets of rows as targets of elements: each element gets its q. A label outside [0, columns) is background.
template <free_target Target>
struct row_targets {
  static constexpr bool dense = false;

  Target target;

  HONE_HD constexpr auto views() const { return target.dense_views(); }
  HONE_HD constexpr bool ignoring() const noexcept { return target.ignoring(); }
  HONE_HD bool ignores(index i) const noexcept { return target.ignores(i); }
  void check_shape(auto prediction) const {
    const index columns = detail::columns_of(prediction);
    target.check_shape(detail::rows_of(prediction), columns);
    views().each([&](auto const& v) { detail::require_like(v, "probabilities", prediction); });
    if (columns == 1 && Target::labels > 0) detail::fail_one_column(false);
  }
  void check_values(index rows, index) const { target.check_numbers(rows); }
};

/// A weight per column.
struct column_weights {
  static constexpr bool of_columns = true, of_positives = false;

  numbers weights;

  template <class A>
  HONE_HD A at(index column) const noexcept {
    return weights.as<A>(column);
  }
  HONE_HD auto views() const { return detail::list(); }
  void check_shape(auto prediction) const {
    detail::require_size(weights, detail::columns_of(prediction), "weigh_columns weight", "column");
  }
  void check_values() const {
    detail::require_values(weights, "weigh_columns weight", "column", detail::finite, "finite");
  }
};

/// A weight per element.
template <class View>
struct element_weights {
  static constexpr bool of_columns = false, of_positives = false;

  View view;

  HONE_HD constexpr auto views() const { return detail::list(view); }
  void check_shape(auto prediction) const { detail::require_like(view, "weigh_elements weights", prediction); }
  void check_values() const noexcept {}
};

/// Weights of the positives: one for all columns, or one per column.
struct positive_weights {
  static constexpr bool of_columns = false, of_positives = true;

  numbers weights;
  double weight = 1;
  bool per_column = false;

  template <class A>
  HONE_HD A at(index column) const noexcept {
    return per_column ? weights.as<A>(column) : static_cast<A>(weight);
  }
  HONE_HD auto views() const { return detail::list(); }
  void check_shape(auto prediction) const {
    if (per_column) detail::require_size(weights, detail::columns_of(prediction), "weigh_positives weight", "column");
  }
  void check_values() const {
    detail::require_values(
        weights, "weigh_positives weight", "column", [](double w) { return w >= 0 && detail::finite(w); },
        "finite and not negative");
  }
};

/// The weights of columns and elements multiply one another; weights of positives are the formula's third argument.
template <formula_of_elements Formula, class Targets, class... Weights>
struct element_term : element_term_base {
  static constexpr bool is_region_loss = class_formula<Formula>;
  static constexpr bool weighs_columns = (Weights::of_columns || ...);
  static constexpr bool weighs_positives = (Weights::of_positives || ...);
  static constexpr bool weighs_elements = (!Weights::of_positives || ...);

  Formula formula;
  Targets targets;
  detail::list<Weights...> weights;

  element_term(Formula formula_, Targets targets_, detail::list<Weights...> weights_ = {})
      : formula(formula_), targets(targets_), weights(weights_) {}

  /// All views that are read per element: those of the targets, then those of the weights.
  HONE_HD constexpr auto views() const {
    return detail::concatenated(targets.views(), weights.apply([](auto const&... w) {
      return detail::concatenated(detail::list(), w.views()...);
    }));
  }
  void check_shape(auto prediction) const {
    targets.check_shape(prediction);
    weights.each([&](auto const& w) { w.check_shape(prediction); });
    if constexpr (is_region_loss) formula.check_shape(prediction);
  }
  void check_values(index rows, index columns) const {
    targets.check_values(rows, columns);
    weights.each([](auto const& w) { w.check_values(); });
    if constexpr (is_region_loss) formula.check_values();
  }
};

template <class T>
concept elementwise = std::derived_from<T, element_term_base>;

namespace detail {

template <formula_of_elements F, class T>
auto element_loss(F formula, matrix_view<T> targets) {
  using view = matrix_view<const T>;
  return element_term<F, dense_targets<view>>(formula, {targets});
}
template <formula_of_elements F, class T>
auto element_loss(F formula, image_view<T> targets) {
  using view = image_view<const T>;
  return element_term<F, dense_targets<view>>(formula, {targets});
}
template <formula_of_elements F, class Label>
auto element_loss(F formula, classes_target<Label> labels) {
  return element_term<F, one_hot_targets<Label>>(formula, {labels});
}
template <formula_of_elements F, class View>
auto element_loss(F formula, probabilities_target<View> targets) {
  return element_term<F, dense_targets<View>>(formula, {targets.view});
}
template <formula_of_elements F, free_target Target>
auto element_loss(F formula, Target target) {
  static_assert(!allowed_target<Target>, "element losses: hone::allowed_classes is for losses of rows");
  return element_term<F, row_targets<Target>>(formula, {target});
}

/// A formula that tests whether a type is a target of element-wise losses.
struct any_element_formula {
  template <operand V>
  HONE_HD value_grad<V> operator()(V x, V) const {
    return {x, V(1)};
  }
};

/// Reports a formula that is none.
template <class F, class Targets>
  requires(!formula_of_elements<F>)
auto element_loss(F const&, Targets targets) {
  static_assert(element_formula<F>,
                "element_loss: the formula must be a function (V x, V t) of a logit and its target, for every "
                "hone::operand V, that returns hone::value_grad<V>");
  return element_loss(any_element_formula(), targets);  // avoids further compiler errors
}

/// Targets of an element-wise loss: a view, hone::classes, or a hone::mix or hone::smooth of them.
template <class T>
concept element_targets = requires(T targets) { element_loss(any_element_formula(), targets); };

}  // namespace detail
}  // namespace hone::inline HONE_ABI

#include <hone/core/macros_pop.hpp>
