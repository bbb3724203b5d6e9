// SPDX-License-Identifier: MIT
/// Focal loss for soft targets: damps a class the more, the nearer its probability is to its target.
#pragma once

#include <hone/loss/modulation.hpp>
#include <hone/loss/row/term.hpp>
#include <hone/target/classes.hpp>

#include <hone/core/macros_push.hpp>

namespace hone::inline HONE_ABI {

struct soft_target_focal_options {
  real gamma = 2;  ///< exponent that damps classes near their target; finite, >= 0; 0 is cross entropy
};

/// With f(p) = q |q-p|^γ (-log p) and h(p) = p f'(p) = -q (γ |q-p|^(γ-1) sign(p-q) p log p + |q-p|^γ):
///   value     Σ f(p)        gradient  h(p) - p Σ h(p)
/// q - p is computed as (q - 1) - expm1(log p) for q >= 1/2, which stays exact if q is 1 and p rounds to 1.
template <row_target Target>
struct soft_target_focal_term : row_term_base {
  using statistics = row::list<row::softmax<>>;
  using later_sweep = row::sweep<2, row::labelled>;  // Σ f, Σ h
  static constexpr bool gradient_reads_coordinates = true;

  Target target;
  double gamma;

  soft_target_focal_term(Target target_, double gamma_) : target(target_), gamma(gamma_) {}

  template <operand V>
  struct result {
    V loss, slope;  // slope: Σ h
    row::normaliser<V> softmax;
  };

  /// Returns f and h of an element.
  template <operand V, class E>
  HONE_HD bundle<V, 2> at(row::normaliser<V> const& softmax, E const& e) const {
    const V none(0), q = row::target_of(e), p = row::weight(e) * softmax.inverse;
    const V log_p = row::coordinate_of(e) - softmax.log_sum, near_one = (q - V(1)) - expm1(log_p);
    const V apart = select(q < V(0.5), q - p, near_one);
    const V p_log_p = p * select(p == none, none, log_p);
    const modulation<V> m(abs(apart), select(apart < none, -p_log_p, p_log_p), gamma);
    return {{-q * m.weight * select(q == none, none, log_p), q * (V(gamma) * m.slope - m.weight)}};
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

/// Σ q |q - p|^γ (-log p) with p = softmax(z): the modulation of Li et al. 2020 (arXiv 2006.04388) on a softmax. With
/// labels it equals softmax_focal_loss; with smoothed or mixed targets, p is not pushed beyond q. No class weights. γ
/// finite, >= 0.
template <class Target>
auto soft_target_focal_loss(Target target, soft_target_focal_options options = {}) {
  static_assert(row_target<Target>,
                "soft_target_focal_loss: the argument must be a target: wrap labels in hone::classes, a matrix in "
                "hone::probabilities");
  static_assert(!weighed_target<Target>,
                "soft_target_focal_loss: class weights would change how far p is from q: use weigh_rows, or "
                "softmax_focal_loss");
  const double gamma = options.gamma;
  detail::require(gamma >= 0 && detail::finite(gamma), "soft_target_focal_loss", "gamma", gamma,
                  "finite and not negative");
  return soft_target_focal_term<Target>(target, gamma);
}

static_assert(row_term<soft_target_focal_term<classes_target<int>>>);

}  // namespace hone::inline HONE_ABI

#include <hone/core/macros_pop.hpp>
