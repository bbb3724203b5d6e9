// SPDX-License-Identifier: MIT
/// Focal loss on sigmoids: damps the many easy negatives of a dense detector.
#pragma once

#include <hone/loss/element/logistic.hpp>
#include <hone/loss/element/term.hpp>
#include <hone/loss/modulation.hpp>

#include <hone/core/macros_push.hpp>

namespace hone::inline HONE_ABI {

struct sigmoid_focal_options {
  real alpha = 0.25;  ///< weight of positives; negatives have 1 - alpha; at most 1; below 0: no weights
  real gamma = 2;     ///< exponent that damps easy examples; finite, >= 0
};

/// With p = σ(x) and m = 1 - p_t = p (1-t) + (1-p) t, torchvision's definition for soft targets:
///   value     α_t m^γ BCE(x, t)        α_t = α t + (1-α) (1-t)
///   gradient  α_t (m^γ (p - t) + γ m^(γ-1) p (1-p) (1-2t) BCE(x, t))
/// p (1-p) <= m, so the second part is finite for every γ.
struct sigmoid_focal_formula {
  static constexpr bool of_probabilities = true;

  coefficient negative, positive_more;  // α_t = negative + positive_more t
  exponent gamma;

  sigmoid_focal_formula(double alpha, double gamma_)
      : negative(alpha < 0 ? 1 : 1 - alpha), positive_more(alpha < 0 ? 0 : 2 * alpha - 1), gamma(gamma_) {}

  template <operand V, class W = unweighed>
  HONE_HD HONE_INLINE value_grad<V> operator()(V x, V t, W w = {}) const {
    const logistic<V> s(x);
    const V u = V(1) - t, loss = s.cross_entropy(x, t, w);
    const modulation<V> m(s.missed(x, t), s.larger * s.smaller, gamma);
    const V outer = (negative.as<V>() + positive_more.as<V>() * t) * m.outer;
    return {outer * m.weight_inside * loss,
            outer * (m.weight_inside * s.slope(t, w) + gamma.as<V>() * m.slope_inside * (u - t) * loss)};
  }
};

/// α_t (1-p_t)^γ BCE(x, t) (Lin et al. 2017, arXiv 1708.02002). Takes targets like binary_cross_entropy. Throws
/// hone::invalid_argument if α > 1, or γ is negative or not finite.
template <class Targets>
auto sigmoid_focal_loss(Targets targets, sigmoid_focal_options options = {}) {
  static_assert(
      detail::element_targets<Targets>,
      "sigmoid_focal_loss: the targets must be a hone::matrix_view or hone::classes(labels), mixed or smoothed");
  const double alpha = options.alpha, gamma = options.gamma;
  detail::require(alpha <= 1, "sigmoid_focal_loss", "alpha", alpha, "at most 1");
  detail::require(gamma >= 0 && detail::finite(gamma), "sigmoid_focal_loss", "gamma", gamma, "finite and not negative");
  return detail::element_loss(sigmoid_focal_formula(alpha, gamma), targets);
}

static_assert(element_formula<sigmoid_focal_formula>);

}  // namespace hone::inline HONE_ABI

#include <hone/core/macros_pop.hpp>
