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

/// With f(p) = (1-p)^γ (-log p) and h(p) = p f'(p) = (1-p)^γ (γ p log p / (1-p) - 1):
///   value     Σ q f(p)        gradient  q h(p) - p Σ q h(p)
/// 1 - p is computed as -expm1(log p), which stays exact if p rounds to 1.
template <row_target Target>
struct softmax_focal_term : row_term_base {
  using statistics = row::list<row::softmax<>>;
  using later_sweep = row::sweep<2, row::labelled>;  // Σ q f, Σ q h
  static constexpr bool gradient_reads_coordinates = true;

  Target target;
  double gamma;

  softmax_focal_term(Target target_, double gamma_) : target(target_), gamma(gamma_) {}

  template <operand V>
  struct result {
    V loss, slope;  // slope: Σ q h
    row::normaliser<V> softmax;
  };

  /// Returns q f and q h of an element.
  template <operand V, class E>
  HONE_HD bundle<V, 2> at(row::normaliser<V> const& softmax, E const& e) const {
    const V none(0), q = row::target_of(e), p = row::weight(e) * softmax.inverse;
    const V log_p = row::coordinate_of(e) - softmax.log_sum, other = -expm1(log_p);
    const V p_log_p = p * select(p == none, none, log_p);
    const modulation<V> m(other, p_log_p, gamma);
    return {
        {-q * m.weight * select(q == none, none, log_p), select(q == none, none, q * (V(gamma) * m.slope - m.weight))}};
  }
  template <operand V, class E>
  HONE_HD bundle<V, 2> later(row::normaliser<V> const& softmax, E const& e) const {
    return at(softmax, e);
  }
  template <operand V>
  HONE_HD result<V> finish(row::normaliser<V> const& softmax, bundle<V, 2> const& later) const {
    return {later[0], later[1], softmax};
  }
  template <operand V, class E>
  HONE_HD V gradient(result<V> const& r, E const& e) const {
    return at(r.softmax, e)[1] - row::weight(e) * r.softmax.inverse * r.slope;
  }
};

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
