// SPDX-License-Identifier: MIT
/// The two losses that CONTRIBUTING.md adds step by step.
#pragma once

#include <hone/loss/element/term.hpp>
#include <hone/loss/row/term.hpp>

namespace own {

// [element_formula]
struct squared_hinge_options {
  hone::real margin = 1;  ///< from which logit on an element is right
};

/// The squared hinge of an L2-SVM (Tang 2013, arXiv 1306.0239). With y = 2t - 1 and u = max(margin - y x, 0):
///   value  u²        gradient  -2 y u
struct squared_hinge_formula {
  double margin;

  template <hone::operand V>
  HONE_HD hone::value_grad<V> operator()(V x, V t) const {
    const V y = t + t - V(1), u = max(V(margin) - y * x, V(0));
    return {u * u, V(-2) * y * u};
  }
};

/// Targets as binary_cross_entropy takes them. Margin finite and positive.
template <class Targets>
auto squared_hinge_loss(Targets targets, squared_hinge_options options = {}) {
  static_assert(hone::detail::element_targets<Targets>,
                "squared_hinge_loss: the targets must be a hone::matrix_view or hone::classes(labels)");
  const double margin = options.margin;
  hone::detail::require(margin > 0 && hone::detail::finite(margin), "squared_hinge_loss", "margin", margin,
                        "finite and positive");
  return hone::detail::element_loss(squared_hinge_formula{margin}, targets);
}

static_assert(hone::element_formula<squared_hinge_formula>);
// [/element_formula]

// [row_term]
/// The confidence penalty (Pereyra et al. 2017, arXiv 1701.06548). With p = softmax(z), m = Σ p z:
///   value  β Σ p log p  =  β (m - log Σ exp z)        gradient  β p (z - m)
struct confidence_penalty_term : hone::row_term_base {
  static constexpr bool needs_softmax = false, needs_logits = true;
  static constexpr int sums = 2, kept = 1;

  double beta;

  explicit confidence_penalty_term(double beta_) : beta(beta_) {}

  template <hone::operand V>
  struct row {
    V loss, rate, mean;
  };

  template <hone::operand V>
  HONE_HD void first(hone::row_element<V>& e, V (&sums_)[3]) const {  // z is less the row's maximum: at most 0
    e.kept[0] = exp_of_nonpositive(e.z);
    sums_[0] = sums_[0] + e.kept[0];
    sums_[1] = sums_[1] + e.kept[0] * select(e.kept[0] == V(0), V(0), e.z);  // 0 where z is -inf
  }
  template <hone::operand V>
  HONE_HD row<V> finish(hone::row_statistics<V> const& s) const {
    const V mean = s.sums[1] / s.sums[0];
    return {V(beta) * (mean - log(s.sums[0])), V(beta) / s.sums[0], mean};
  }
  template <hone::operand V>
  HONE_HD V gradient(row<V> const& r, hone::row_element<V> const& e) const {
    return r.rate * e.kept[0] * select(e.kept[0] == V(0), V(0), e.z - r.mean);
  }
};

static_assert(hone::row_term<confidence_penalty_term>);
// [/row_term]

}  // namespace own
