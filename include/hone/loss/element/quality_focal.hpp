// SPDX-License-Identifier: MIT
/// Quality focal loss: the target of a box's class is the localisation quality of the box.
#pragma once

#include <hone/loss/element/logistic.hpp>
#include <hone/loss/element/term.hpp>
#include <hone/loss/modulation.hpp>

#include <hone/core/macros_push.hpp>

namespace hone::inline HONE_ABI {

struct quality_focal_options {
  real beta = 2;  ///< exponent that damps well-estimated qualities; finite, >= 0
};

/// With p = σ(x) and d = p - q = p (1-q) - (1-p) q:
///   value     |d|^β BCE(x, q)
///   gradient  |d|^β d + β |d|^(β-1) sign(d) p (1-p) BCE(x, q)
/// The second part is 0 at d = 0; for β < 1 it has a pole there.
struct quality_focal_formula {
  static constexpr bool of_probabilities = true;

  exponent beta;

  template <operand V, class W = unweighed>
  HONE_HD value_grad<V> operator()(V x, V q, W w = {}) const {
    const logistic<V> s(x);
    const V negative = s.p * (V(1) - q), d = negative - s.complement * q, loss = s.cross_entropy(x, q, w);
    const modulation<V> m(abs(d), s.p * s.complement, beta);
    return {m.weight * loss,
            m.weight * (negative - s.complement * (w * q)) + beta.as<V>() * select(d < V(0), -m.slope, m.slope) * loss};
  }
};

/// |q - σ|^β BCE(x, q) (Li et al. 2020, arXiv 2006.04388). Takes qualities in [0, 1] as a view of the prediction's
/// shape, or hone::classes. Throws hone::invalid_argument if β is negative or not finite.
template <class Targets>
auto quality_focal_loss(Targets qualities, quality_focal_options options = {}) {
  static_assert(
      detail::element_targets<Targets>,
      "quality_focal_loss: the targets must be a hone::matrix_view or hone::classes(labels), mixed or smoothed");
  const double beta = options.beta;
  detail::require(beta >= 0 && detail::finite(beta), "quality_focal_loss", "beta", beta, "finite and not negative");
  return detail::element_loss(quality_focal_formula{beta}, qualities);
}

static_assert(element_formula<quality_focal_formula>);

}  // namespace hone::inline HONE_ABI

#include <hone/core/macros_pop.hpp>
