// SPDX-License-Identifier: MIT
/// Poly-1 on a sigmoid: the first term of cross entropy's series counts more.
#pragma once

#include <hone/core/coefficient.hpp>
#include <hone/loss/element/logistic.hpp>
#include <hone/loss/element/term.hpp>

#include <hone/core/macros_push.hpp>

namespace hone::inline HONE_ABI {

struct poly1_binary_cross_entropy_options {
  real epsilon = 2;  ///< weight ε of the first term of the series; finite
};

/// With p = σ(x) and 1 - p_t = p (1-t) + (1-p) t:
///   value  BCE(x, t) + ε (1 - p_t)        gradient  p - t + ε p (1-p) (1-2t)
struct poly1_binary_cross_entropy_formula {
  static constexpr bool of_probabilities = true;

  coefficient epsilon;

  template <operand V, class W = unweighed>
  HONE_HD value_grad<V> operator()(V x, V t, W w = {}) const {
    const logistic<V> s(x);
    const V u = V(1) - t, v = w * t, missed = s.p * u + s.complement * v, e = epsilon.as<V>();
    return {s.cross_entropy(x, t, w) + e * missed, s.slope(t, w) + e * s.p * s.complement * (u - v)};
  }
};

/// BCE + ε (1 - p_t) (Leng et al. 2022, arXiv 2204.12511). Takes targets like binary_cross_entropy. ε is finite.
template <class Targets>
auto poly1_binary_cross_entropy(Targets targets, poly1_binary_cross_entropy_options options = {}) {
  static_assert(detail::element_targets<Targets>,
                "poly1_binary_cross_entropy: the targets must be a hone::matrix_view or hone::classes(labels), mixed "
                "or smoothed");
  const double epsilon = options.epsilon;
  detail::require(detail::finite(epsilon), "poly1_binary_cross_entropy", "epsilon", epsilon, "finite");
  return detail::element_loss(poly1_binary_cross_entropy_formula{epsilon}, targets);
}

static_assert(element_formula<poly1_binary_cross_entropy_formula>);

}  // namespace hone::inline HONE_ABI

#include <hone/core/macros_pop.hpp>
