// SPDX-License-Identifier: MIT
/// Focal loss for soft targets: damps a class the more, the nearer its probability is to its target.
#pragma once

#include <hone/loss/row/softmax_focal.hpp>
#include <hone/target/classes.hpp>

#include <hone/core/macros_push.hpp>

namespace hone::inline HONE_ABI {

struct soft_target_focal_options {
  real gamma = 2;  ///< exponent that damps classes near their target; finite, >= 0; 0 is cross entropy
};

/// The modulating factor |q-p|^γ. q - p is computed as (q - 1) - expm1(log p) for q >= 1/2, which stays exact if q is 1
/// and p rounds to 1.
struct distance_from_target {
  template <operand V>
  HONE_HD static modulation<V> modulate(V q, V p, V log_p, V p_log_p, exponent const& gamma) {
    const V apart = select(q < V(0.5), q - p, (q - V(1)) - expm1(log_p));
    return {abs(apart), select(apart < V(0), -p_log_p, p_log_p), gamma};
  }
};

template <row_target Target>
using soft_target_focal_term = modulated_cross_entropy_term<distance_from_target, Target>;

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
