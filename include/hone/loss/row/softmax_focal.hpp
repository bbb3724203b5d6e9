// SPDX-License-Identifier: MIT
/// Focal loss on softmax probabilities: damps easy rows.
#pragma once

#include <hone/loss/modulation.hpp>
#include <hone/loss/row/term.hpp>
#include <hone/target/classes.hpp>

#include <hone/core/macros_push.hpp>

namespace hone::inline HONE_ABI {

struct softmax_focal_options {
  real gamma = 2;  ///< exponent that damps easy rows; finite, >= 0; 0 is cross entropy
};

/// The modulating factor (1-p)^γ. 1 - p is computed as -expm1(log p), which stays exact if p rounds to 1.
struct distance_from_one {
  template <operand V>
  HONE_HD static modulation<V> modulate(V, V, V log_p, V p_log_p, exponent const& gamma) {
    return {-expm1(log_p), p_log_p, gamma};
  }
};

/// Cross entropy with a modulating factor m: f(p) = q m(p) (-log p) of a class, and h(p) = p f'(p):
///   value     Σ f        gradient  h - p Σ h
/// Factor::modulate(q, p, log p, p log p, γ) returns m, and -p m'(p) log p / γ as its slope.
template <class Factor, row_target Target>
struct modulated_cross_entropy_term : row_term_base {
  using statistics = row::list<row::softmax<>>;
  using later_sweep = row::sweep<2, row::labelled>;  // Σ f, Σ h
  static constexpr bool gradient_reads_coordinates = true;

  Target target;
  exponent gamma;

  modulated_cross_entropy_term(Target target_, double gamma_) : target(target_), gamma(gamma_) {}

  template <operand V>
  struct result {
    V loss, slope;  // slope: Σ h
    row::normaliser<V> softmax;
  };

  /// Returns f and h of an element.
  template <operand V, class E>
  HONE_HD bundle<V, 2> later(row::normaliser<V> const& softmax, E const& e) const {
    const V none(0), q = row::target_of(e), p = row::weight(e) * softmax.inverse;
    const V log_p = row::coordinate_of(e) - softmax.log_sum, p_log_p = p * select(p == none, none, log_p);
    const modulation<V> m = Factor::modulate(q, p, log_p, p_log_p, gamma);
    return {{-q * m.weight * select(q == none, none, log_p),
             select(q == none, none, q * (gamma.as<V>() * m.slope - m.weight))}};
  }
  template <operand V>
  HONE_HD result<V> finish(row::normaliser<V> const& softmax, bundle<V, 2> const& later) const {
    return {later[0], later[1], softmax};
  }
  template <operand V, class E>
  HONE_HD V gradient(result<V> const& r, E const& e) const {
    return later(r.softmax, e)[1] - row::weight(e) * r.softmax.inverse * r.slope;
  }
};

template <row_target Target>
using softmax_focal_term = modulated_cross_entropy_term<distance_from_one, Target>;

/// Σ q (1-p)^γ (-log p) with p = softmax(z) (Lin et al. 2017, arXiv 1708.02002, on softmax). γ finite, >= 0.
template <class Target>
auto softmax_focal_loss(Target target, softmax_focal_options options = {}) {
  static_assert(row_target<Target>,
                "softmax_focal_loss: the argument must be a target: wrap labels in hone::classes, "
                "a matrix in hone::probabilities");
  const double gamma = options.gamma;
  detail::require(gamma >= 0 && detail::finite(gamma), "softmax_focal_loss", "gamma", gamma, "finite and not negative");
  return softmax_focal_term<Target>(target, gamma);
}

static_assert(row_term<softmax_focal_term<classes_target<int>>>);

}  // namespace hone::inline HONE_ABI

#include <hone/core/macros_pop.hpp>
