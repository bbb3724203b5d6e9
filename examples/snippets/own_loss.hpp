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
  using statistics = hone::row::list<hone::row::softmax<>, hone::row::total<0, hone::row::coordinate<0>>>;
  static constexpr bool gradient_reads_coordinates = true;

  double beta;

  explicit confidence_penalty_term(double beta_) : beta(beta_) {}

  template <hone::operand V>
  struct result {
    V loss, rate, mean;
  };

  template <hone::operand V>
  HONE_HD result<V> finish(hone::row::normaliser<V> const& p, V total) const {
    const V mean = total * p.inverse;
    return {V(beta) * (mean - p.log_sum), V(beta) * p.inverse, mean};
  }
  template <hone::operand V, class E>
  HONE_HD V gradient(result<V> const& r, E const& e) const {
    const V w = hone::row::weight(e);
    return r.rate * w * select(w == V(0), V(0), hone::row::coordinate_of(e) - r.mean);  // 0 where z is -inf
  }
};

static_assert(hone::row_term<confidence_penalty_term>);
// [/row_term]

}  // namespace own
