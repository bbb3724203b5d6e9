// SPDX-License-Identifier: MIT
/// Weights of the columns, of the elements and of the positives of element-wise losses.
#pragma once

#include <hone/loss/element/term.hpp>

#include <hone/core/macros_push.hpp>

namespace hone::inline HONE_ABI {

namespace detail {

/// An element-wise objective with one kind of weights.
template <objective O, class Weights>
struct element_weighed : objective_base {
  O inner;
  Weights weights;

  element_weighed(O inner_, Weights weights_) : inner(inner_), weights(weights_) {}
};

template <class O, class W>
inline constexpr bool has_late_factor<element_weighed<O, W>> = has_late_factor<O>;

template <class F, class T, class... W, int Rows, class Weights>
auto element_weighed_leaf(leaf<element_term<F, T, W...>, Rows> const& from, Weights weights) {
  const element_term<F, T, W..., Weights> term(from.term.formula, from.term.targets,
                                               concatenated(from.term.weights, list<Weights>(weights)));
  leaf<element_term<F, T, W..., Weights>, Rows> result{term, from.factor};
  for (int k = 0; k < Rows; ++k) result.weights[k] = from.weights[k];
  return result;
}
template <class O, class W>
auto leaves(element_weighed<O, W> const& o) {
  return leaves(o.inner).apply([&](auto const&... l) { return list(element_weighed_leaf(l, o.weights)...); });
}

template <class... Leaf>
constexpr bool all_elementwise(list<Leaf...> const*) {
  return (elementwise<typename Leaf::term_type> && ...);
}
template <class Leaf>
concept weighs_positives = requires(Leaf const& l, double x) { l.term.formula(x, x, x); };
template <class... Leaf>
constexpr bool all_weigh_positives(list<Leaf...> const*) {
  return (weighs_positives<Leaf> && ...);
}

template <class... Leaf>
constexpr bool any_class_formula(list<Leaf...> const*) {
  return (Leaf::term_type::is_region_loss || ...);
}

/// Whether an objective has element-wise losses only, and whether all their formulas take a weight of positives, or any
/// is that of a region loss.
template <class O>
constexpr bool is_elementwise() {
  if constexpr (objective<O>)
    return all_elementwise(static_cast<decltype(leaves(std::declval<O const&>()))*>(nullptr));
  else
    return false;
}
template <class O>
constexpr bool knows_positives() {
  if constexpr (is_elementwise<O>())
    return all_weigh_positives(static_cast<decltype(leaves(std::declval<O const&>()))*>(nullptr));
  else
    return false;
}

template <class O>
constexpr bool has_region_loss() {
  if constexpr (is_elementwise<O>())
    return any_class_formula(static_cast<decltype(leaves(std::declval<O const&>()))*>(nullptr));
  else
    return false;
}

template <class O>
constexpr void require_positives() {
  static_assert(is_elementwise<O>(),
                "weigh_positives: the first argument must be an objective of element-wise losses, such as "
                "hone::binary_cross_entropy(targets)");
  static_assert(!is_elementwise<O>() || knows_positives<O>(),
                "weigh_positives: a formula of this objective has no weight of positives: operator()(x, t, w)");
}

template <class O, class View>
auto weigh_elements(O o, View view) {
  static_assert(is_elementwise<O>(),
                "weigh_elements: the first argument must be an objective of element-wise losses, such as "
                "hone::binary_cross_entropy(targets)");
  return element_weighed<O, element_weights<View>>(o, {view});
}

}  // namespace detail

/// Multiplies the loss of column c by weights[c]. The weights are viewed: one finite number per column. mean still
/// divides by the number of elements, like PyTorch's BCEWithLogitsLoss(weight).
template <class O>
auto weigh_columns(O o, numbers weights) {
  static_assert(detail::is_elementwise<O>(),
                "weigh_columns: the first argument must be an objective of element-wise losses, such as "
                "hone::binary_cross_entropy(targets); classes of row losses are weighed by hone::weigh_classes");
  static_assert(!detail::has_region_loss<O>(), "weigh_columns: .weights weighs the classes of a region loss");
  return detail::element_weighed<O, column_weights>(o, {weights});
}

/// Multiplies the loss of every element by its weight. The weights are a view of the prediction's shape, of any number
/// type. An element of weight 0 contributes exactly 0, whatever its target and logit are: use it for elements without a
/// label. mean still divides by the number of all elements.
template <class O, class T>
auto weigh_elements(O o, matrix_view<T> weights) {
  return detail::weigh_elements(o, matrix_view<const T>(weights));
}
template <class O, class T>
auto weigh_elements(O o, image_view<T> weights) {
  return detail::weigh_elements(o, image_view<const T>(weights));
}
template <class O, class Weights>
auto weigh_elements(O o, Weights const&) {
  static_assert(!objective<O>, "weigh_elements: the weights must be a hone::matrix_view or a hone::image_view");
  return o;
}

/// Multiplies the part of the loss that positives cause by the weight, like PyTorch's pos_weight. Cross entropy becomes
/// -w t log σ(x) - (1-t) log(1 - σ(x)). One number for all columns, or a view of one per column; finite, >= 0.
template <class O>
auto weigh_positives(O o, arithmetic auto weight) {
  detail::require_positives<O>();
  const real w = weight;
  detail::require(w.value >= 0 && detail::finite(w.value), "weigh_positives", "weight", w.value,
                  "finite and not negative");
  return detail::element_weighed<O, positive_weights>(o, {{}, w.value, false});
}
template <class O>
auto weigh_positives(O o, numbers weights) {
  detail::require_positives<O>();
  return detail::element_weighed<O, positive_weights>(o, {weights, 1, true});
}

}  // namespace hone::inline HONE_ABI

#include <hone/core/macros_pop.hpp>
