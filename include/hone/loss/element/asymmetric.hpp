// SPDX-License-Identifier: MIT
/// Asymmetric loss: damps the negatives of a multi-label problem more than the positives, and drops the easiest ones.
#pragma once

#include <hone/loss/element/logistic.hpp>
#include <hone/loss/element/term.hpp>
#include <hone/loss/modulation.hpp>

#include <hone/core/macros_push.hpp>

namespace hone::inline HONE_ABI {

struct asymmetric_options {
  real gamma_positive = 1;  ///< exponent γ₊ that damps easy positives; finite, >= 0
  real gamma_negative = 4;  ///< exponent γ₋ that damps easy negatives; finite, >= 0
  real clip = 0.05;         ///< in [0, 1); a negative whose probability is at most this has loss 0
};

/// With p = σ(x), m = max(p - clip, 0) the clipped probability of a negative, c = -log p and d = -log(1 - m):
///   value     t (1-p)^γ₊ c  +  (1-t) m^γ₋ d
///   gradient  -t (1-p)^γ₊ (1-p + γ₊ p c)  +  (1-t) (m^γ₋ p (1-p) / (1-m) + γ₋ m^(γ₋-1) p (1-p) d)
/// The second part counts if p > clip. d <= const · m, so it is finite for every γ₋.
struct asymmetric_formula {
  static constexpr bool of_probabilities = true;

  exponent gamma_positive, gamma_negative;
  coefficient clip;
  bool clips;

  asymmetric_formula(double gamma_positive_, double gamma_negative_, double clip_)
      : gamma_positive(gamma_positive_), gamma_negative(gamma_negative_), clip(clip_), clips(clip_ > 0) {}

  template <operand V, class W = unweighed>
  HONE_HD value_grad<V> operator()(V x, V t, W w = {}) const {
    const logistic<V> s(x);
    const V missed = s.cross_entropy(x, V(1));
    V m = s.p, alarm = s.softplus, slope = s.p;  // slope: of d
    if (clips) {
      m = max(s.p - clip.as<V>(), V(0));
      const V complement =
          min(s.complement + clip.as<V>(), V(1));  // 1 - m; 1 - p if rounding loses clip, and may then be 0
      const V shifted = select(m < V(0.5), -log1p(-m), -log(complement));
      alarm = select(complement == s.complement, alarm, shifted);
      slope = s.p * select(complement == s.complement, V(1), s.complement / complement);
    }
    const modulation<V> positive(s.complement, V(0), gamma_positive);
    const modulation<V> negative(m, s.p * s.complement * alarm, gamma_negative);
    const V pull = positive.weight * (s.complement + gamma_positive.as<V>() * s.p * missed);
    const V cost = select(m == V(0), V(0), negative.weight * alarm);
    const V push = select(m == V(0), V(0), negative.weight * slope + gamma_negative.as<V>() * negative.slope);
    const V v = w * t;
    return {v * positive.weight * missed + (V(1) - t) * cost, (V(1) - t) * push - v * pull};
  }
};

/// Ridnik et al. 2021, arXiv 2009.14119; the defaults are those of timm. Takes targets t like binary_cross_entropy; t
/// weighs the positive part, 1 - t the negative. Throws if γ₊ or γ₋ is negative or not finite, or clip not in [0, 1).
template <class Targets>
auto asymmetric_loss(Targets targets, asymmetric_options options = {}) {
  static_assert(detail::element_targets<Targets>,
                "asymmetric_loss: the targets must be a hone::matrix_view or hone::classes(labels), mixed or smoothed");
  const double positive = options.gamma_positive, negative = options.gamma_negative, clip = options.clip;
  constexpr auto what = "asymmetric_loss";
  detail::require(positive >= 0 && detail::finite(positive), what, "gamma_positive", positive,
                  "finite and not negative");
  detail::require(negative >= 0 && detail::finite(negative), what, "gamma_negative", negative,
                  "finite and not negative");
  detail::require(clip >= 0 && clip < 1, what, "clip", clip, "in [0, 1)");
  return detail::element_loss(asymmetric_formula(positive, negative, clip), targets);
}

static_assert(element_formula<asymmetric_formula>);

}  // namespace hone::inline HONE_ABI

#include <hone/core/macros_pop.hpp>
