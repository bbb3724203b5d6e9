// SPDX-License-Identifier: MIT
/// A region loss: a function of sums over the pixels of a region, an image or the batch, per class. A backend evaluates
/// it in two sweeps. The first one sums p q, p and q of every class over the rows (region_sums), from which
/// loss_of_region computes the loss and its derivatives by these sums, two numbers per class. In the second one the
/// loss is a row term like any other, and reads these numbers as its table: with u and v the derivatives by Σ p q and
/// by Σ p (or Σ p²) of a class, a = u q + v (or u q + 2 v p) is the derivative by p, and the gradient by a logit is
///
///   p (a - Σ p a)
///
/// A row that the target ignores adds nothing to any sum. A weight of weigh_rows multiplies p q, p and q of its row; it
/// must not be negative. The loss has no loss per row.
#pragma once

#include <hone/core/view_check.hpp>
#include <hone/loss/region/overlap.hpp>
#include <hone/loss/row/term.hpp>
#include <hone/target/classes.hpp>

#include <hone/core/macros_push.hpp>

namespace hone::inline HONE_ABI {

/// What becomes of a class that no pixel of the region has in its target (Σ q = 0).
enum class absent_classes : unsigned char {
  skipped,  ///< neither loss nor part in the mean over the classes
  zero,     ///< its loss is 0 and counts in the mean
  counted,  ///< has the loss of the formula, which is 1 without smoothing if it is predicted at all
};

/// How the losses of classes and regions become one number.
struct region_policy {
  bool squared = false;    ///< Σ p² and Σ q² in place of Σ p and Σ q
  bool per_image = false;  ///< a region is an image, not the batch
  absent_classes absent = absent_classes::skipped;
  numbers weights = {};      ///< one per class, or none; a class of weight 0 does not count in the mean
  double power_of_mean = 1;  ///< of the mean over the classes of a region

  template <class See>
  void each_input(See const& see) const {
    see("weights of classes", detail::footprint_of(weights));
  }
  /// Fails if regions are images and the prediction has none.
  template <class View>
  void check_view(View) const {
    if (per_image && requires(View v) { v.row_stride; })
      detail::fail("evaluate: a region loss per image needs a hone::image_view, the prediction is a matrix_view");
  }
  /// Fail if there are weights, but not one per class, or if one is negative or not finite.
  void check_columns(index columns) const {
    if (weights.size() > 0) detail::require_size(weights, columns, "region loss weight", "class");
  }
  void check_weights() const {
    detail::require_values(
        weights, "region loss weight", "class", [](double w) { return w >= 0 && detail::finite(w); },
        "finite and not negative");
  }
};

/// The inputs and the checks of every region loss of rows.
struct region_rows_base : row_term_base {
  static constexpr bool is_region_loss = true;

  region_policy policy;

  explicit region_rows_base(region_policy policy_) : policy(policy_) {}

  template <class See>
  void each_input(See const& see) const {
    policy.each_input(see);
  }
  template <class View>
  void check_view(View prediction) const {
    policy.check_view(prediction);
  }
  void check_shape(index, index columns) const { policy.check_columns(columns); }
  void check_values(index, index) const { policy.check_weights(); }
};

template <class Formula, row_target Target>
struct region_term : region_rows_base {
  using statistics = row::list<row::softmax<>>;
  using later_sweep = row::sweep<1>;  // Σ p a
  static constexpr int class_numbers = 2;

  Target target;
  Formula formula;
  row::class_table table = {};  // of the backend: the derivatives by Σ p q and by Σ p

  region_term(Target target_, Formula formula_, region_policy policy_)
      : region_rows_base(policy_), target(target_), formula(formula_) {}

  template <operand V>
  struct result {
    V loss, inverse, mean;  // the loss of the row is 0: the backend adds that of the region
  };

  template <operand V, class E>
  HONE_HD bundle<V, 1> later(row::normaliser<V> const& softmax, E const& e) const {
    const V p = row::weight(e) * softmax.inverse;
    return {{p * slope(p, e)}};
  }
  template <operand V>
  HONE_HD result<V> finish(row::normaliser<V> const& softmax, bundle<V, 1> const& total) const {
    return {V(0), softmax.inverse, total[0]};
  }
  template <operand V, class E>
  HONE_HD V gradient(result<V> const& r, E const& e) const {
    const V p = row::weight(e) * r.inverse;
    return p * (slope(p, e) - r.mean);
  }

 private:
  /// Returns the derivative of the loss by the probability of an element.
  template <class V, class E>
  HONE_HD V slope(V p, E const& e) const {
    const V u = row::class_number<0>(e), v = row::class_number<1>(e);
    return u * row::target_of(e) + (policy.squared ? (v + v) * p : v);
  }
};

namespace detail {

template <class Term>
inline constexpr bool is_region_loss = requires { requires Term::is_region_loss; };
/// Whether a region loss has a derivative per pixel, for which a backend sorts the pixels (loss/region/lovasz.hpp).
template <class Term>
inline constexpr bool sorts_pixels = requires { requires Term::sorts_pixels; };
template <class... Leaf>
inline constexpr bool any_region_loss = (is_region_loss<typename Leaf::term_type> || ...);

/// Fails if losses of rows or elements are requested; called for an objective with a region loss.
inline void require_no_losses_of_rows(void const* unreduced, const char* kind) {
  if (unreduced) fail("evaluate: a region loss has no loss per %s, so .unreduced must be absent", kind);
}

/// Returns how many rows a region has. A prediction of `rows` rows has rows / rows_of_region regions.
template <class T>
index rows_of_region(matrix_view<T> v, region_policy const&) noexcept {
  return v.rows;
}
template <class T>
index rows_of_region(image_view<T> v, region_policy const& policy) noexcept {
  return policy.per_image ? v.pixels : v.images * v.pixels;
}

/// Returns what has the formula, the policy and the table of a region loss: a row term, or the formula of elements.
template <class Term>
HONE_HD auto& region_of(Term& term) noexcept {
  if constexpr (requires { term.policy; })
    return term;
  else
    return term.formula;
}

/// The sums of a class, and the weight of its pixels, which is 0 if none counts. Softmaxes have Σ p in its place.
struct class_of_region {
  region_sums<double> sums;
  double weight;
};

/// The loss of a region; counts is false if no pixel or no class of the region counts.
struct loss_and_count {
  double loss;
  bool counts;
};

/// Computes the loss of one region. at(c) returns what is known of class c, put(c, u, v) takes the derivatives by its
/// sums. A team has each(n, body), which calls body(c) for its part of the classes, and sum(x), which adds up over the
/// team.
HONE_NO_EXEC_CHECK template <class Formula, class Team, class At, class Put>
HONE_HD loss_and_count loss_of_region(Formula const& formula, region_policy const& policy, index classes,
                                      Team const& team, At const& at, Put const& put) {
  const auto weight_of = [&](index c, region_sums<double> const& s) -> double {
    const double w = policy.weights.size() > 0 ? policy.weights[c] : 1;
    return s.target == 0 && policy.absent != absent_classes::counted ? 0 : w;
  };
  double total = 0, count = 0, pixels = 0;
  team.each(classes, [&](index c) {
    const class_of_region k = at(c);
    const double w = weight_of(c, k.sums);
    const bool weighed = policy.weights.size() == 0 || policy.weights[c] != 0;
    pixels += k.weight;
    count += policy.absent == absent_classes::skipped ? w != 0 : weighed;
    if (w != 0) total += w * formula(k.sums).loss;
  });
  total = team.sum(total), count = team.sum(count), pixels = team.sum(pixels);
  const bool counts = count > 0 && !(pixels == 0);
  const double average = counts ? total / count : 0;
  double loss = average, slope = counts ? 1 / count : 0;
  if (policy.power_of_mean != 1 && counts) {
    loss = average > 0 ? exp(policy.power_of_mean * log(average)) : average == average ? 0 : average;
    slope *= average > 0 ? policy.power_of_mean * loss / average : loss;
  }
  team.each(classes, [&](index c) {
    const region_sums<double> s = at(c).sums;
    const double w = slope * weight_of(c, s);
    const region_loss<double> of_class = w == 0 ? region_loss<double>{0, 0, 0} : formula(s);
    // Without a target q is 0 everywhere, and the derivative by Σ p q, which may be huge, has no effect.
    put(c, s.target == 0 ? 0 : w * of_class.by_both, w * of_class.by_prediction);
  });
  return {loss, counts};
}

/// Sets what is added to the numerator and the denominator of a formula; fails if it is negative or not finite.
inline void set_smooth(const char* function, overlap_formula& formula, real smooth, optional_real below) {
  require(smooth.value >= 0 && finite(smooth.value), function, "smooth", smooth.value, "finite and not negative");
  require(below.value >= 0 && finite(below.value), function, "smooth_denominator", below.value,
          "finite and not negative");
  formula.smooth_above = smooth, formula.smooth_below = below.has_value ? below.value : smooth.value;
}

/// What a factory returns for an argument that is no target, to suppress further errors of the compiler.
using no_region_loss = region_term<overlap_formula, classes_target<int>>;

/// Returns the region loss of a target with the formula that formula_of() returns. A factory has refused other
/// arguments in a sentence of its own.
template <class Target, class FormulaOf>
auto region_loss_with(Target target, region_policy const& policy, FormulaOf const& formula_of) {
  if constexpr (row_target<Target> && !weighed_target<Target>)
    return region_term<overlap_formula, Target>(target, formula_of(), policy);
  else
    return no_region_loss({}, {}, {});
}

}  // namespace detail

static_assert(row_term<region_term<overlap_formula, classes_target<int>>>);

}  // namespace hone::inline HONE_ABI

#include <hone/core/macros_pop.hpp>
