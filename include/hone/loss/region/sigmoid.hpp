// SPDX-License-Identifier: MIT
/// Region losses of independent classes: the probability of a class is the sigmoid of its logit, so that one column is
/// a binary segmentation, and several are masks that may overlap.
#pragma once

#include <hone/loss/element/logistic.hpp>
#include <hone/loss/element/term.hpp>
#include <hone/loss/region/dice.hpp>
#include <hone/loss/region/jaccard.hpp>
#include <hone/loss/region/tversky.hpp>

#include <hone/core/macros_push.hpp>

namespace hone::inline HONE_ABI {

/// The elements of a region loss. A backend evaluates it in two sweeps, as it does region_term: the first one sums p t,
/// p and t of every class with p = σ(x). In the second one, with u and v the derivatives by Σ p t and by Σ p (or Σ p²)
/// of the element's class, which `table` holds:
///   value     0: the backend adds that of the region
///   gradient  p (1-p) (u t + v)        or p (1-p) (u t + 2 v p)
template <class Formula>
struct sigmoid_region_formula {
  static constexpr bool of_probabilities = true, is_region_loss = true;

  Formula formula;
  region_policy policy;
  row::class_table table = {};  // of the backend: rows × columns numbers, not those of a row term

  template <operand V>
  HONE_HD value_grad<V> operator()(V x, V t, bundle<V, 2> const& by) const {
    const logistic<V> s(x);
    return {V(0), s.p * s.complement * (by[0] * t + (policy.squared ? (by[1] + by[1]) * s.p : by[1]))};
  }

  template <class See>
  void each_input(See const& see) const {
    policy.each_input(see);
  }
  void check_shape(auto prediction) const {
    policy.check_view(prediction);
    policy.check_columns(detail::columns_of(prediction));
  }
  void check_values() const { policy.check_weights(); }
};

namespace detail {

/// Returns the region loss of elements with a formula and the policy of its options.
template <class Targets, class Options>
auto sigmoid_region_loss(Targets targets, Options const& options, overlap_formula const& formula) {
  return element_loss(sigmoid_region_formula<overlap_formula>{formula, policy_of(options)}, targets);
}

}  // namespace detail

/// dice_loss with p = σ(x) of every class by itself. Takes targets like binary_cross_entropy, and stands in sums with
/// element-wise losses. Rows that the targets ignore, and elements of weight 0, add nothing to the sums:
///   value     mean over the classes of weight (1 - D)      D = (2 Σ p t + s) / (Σ p + Σ t + s)
/// The value does not depend on the reduction.
template <class Targets>
auto sigmoid_dice_loss(Targets targets, dice_options const& options = {}) {
  static_assert(
      detail::element_targets<Targets>,
      "sigmoid_dice_loss: the targets must be a hone::matrix_view or hone::classes(labels), mixed or smoothed");
  return detail::sigmoid_region_loss(targets, options, detail::dice_formula("sigmoid_dice_loss", options));
}

/// jaccard_loss with p = σ(x), as sigmoid_dice_loss.
template <class Targets>
auto sigmoid_jaccard_loss(Targets targets, jaccard_options const& options = {}) {
  static_assert(
      detail::element_targets<Targets>,
      "sigmoid_jaccard_loss: the targets must be a hone::matrix_view or hone::classes(labels), mixed or smoothed");
  return detail::sigmoid_region_loss(targets, options, detail::jaccard_formula("sigmoid_jaccard_loss", options));
}

/// tversky_loss with p = σ(x), as sigmoid_dice_loss.
template <class Targets>
auto sigmoid_tversky_loss(Targets targets, tversky_options const& options = {}) {
  static_assert(
      detail::element_targets<Targets>,
      "sigmoid_tversky_loss: the targets must be a hone::matrix_view or hone::classes(labels), mixed or smoothed");
  return detail::sigmoid_region_loss(targets, options, detail::tversky_formula("sigmoid_tversky_loss", options));
}

/// focal_tversky_loss with p = σ(x), as sigmoid_dice_loss.
template <class Targets>
auto sigmoid_focal_tversky_loss(Targets targets, focal_tversky_options const& options = {}) {
  static_assert(
      detail::element_targets<Targets>,
      "sigmoid_focal_tversky_loss: the targets must be a hone::matrix_view or hone::classes(labels), mixed or "
      "smoothed");
  return detail::sigmoid_region_loss(targets, options, detail::tversky_formula("sigmoid_focal_tversky_loss", options));
}

static_assert(class_formula<sigmoid_region_formula<overlap_formula>>);

}  // namespace hone::inline HONE_ABI

#include <hone/core/macros_pop.hpp>
