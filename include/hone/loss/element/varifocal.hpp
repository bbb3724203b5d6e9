// SPDX-License-Identifier: MIT
/// Varifocal loss: weighs positives by their quality and damps negatives as focal loss does.
#pragma once

#include <hone/loss/element/logistic.hpp>
#include <hone/loss/element/term.hpp>
#include <hone/loss/modulation.hpp>

#include <hone/core/macros_push.hpp>

namespace hone::inline HONE_ABI {

struct varifocal_options {
  real alpha = 0.75;  ///< weight of negatives; finite, >= 0
  real gamma = 2;     ///< exponent that damps easy negatives; finite, >= 0
};

/// With p = σ(x):
///   q > 0    value  q BCE(x, q)            gradient  q (p - q)
///   q = 0    value  α p^γ softplus(x)      gradient  α p^γ (p + γ (1-p) softplus(x))
struct varifocal_formula {
  static constexpr bool of_probabilities = true;

  coefficient alpha;
  exponent gamma;

  template <operand V, class W = unweighed>
  HONE_HD value_grad<V> operator()(V x, V q, W w = {}) const {
    const logistic<V> s(x);
    const V damped = alpha.as<V>() * modulation<V>(s.p, V(0), gamma).weight;
    return {select(q > V(0), q * s.cross_entropy(x, q, w), damped * s.softplus),
            select(q > V(0), q * s.slope(q, w), damped * (s.p + gamma.as<V>() * s.complement * s.softplus))};
  }
};

/// Zhang et al. 2020, arXiv 2008.13367. Takes qualities in [0, 1] as a view of the prediction's shape, or
/// hone::classes. Throws hone::invalid_argument if α or γ is negative or not finite.
template <class Targets>
auto varifocal_loss(Targets qualities, varifocal_options options = {}) {
  static_assert(detail::element_targets<Targets>,
                "varifocal_loss: the targets must be a hone::matrix_view or hone::classes(labels), mixed or smoothed");
  const double alpha = options.alpha, gamma = options.gamma;
  detail::require(alpha >= 0 && detail::finite(alpha), "varifocal_loss", "alpha", alpha, "finite and not negative");
  detail::require(gamma >= 0 && detail::finite(gamma), "varifocal_loss", "gamma", gamma, "finite and not negative");
  return detail::element_loss(varifocal_formula{alpha, gamma}, qualities);
}

static_assert(element_formula<varifocal_formula>);

}  // namespace hone::inline HONE_ABI

#include <hone/core/macros_pop.hpp>
