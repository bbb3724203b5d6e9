// SPDX-License-Identifier: MIT
/// Poly-1 on a softmax: the first term of cross entropy's series counts more.
#pragma once

#include <hone/loss/row/term.hpp>
#include <hone/target/classes.hpp>

#include <hone/core/macros_push.hpp>

namespace hone::inline HONE_ABI {

struct poly1_cross_entropy_options {
  real epsilon = 2;  ///< how much more the first term of the series counts
};

/// With q the target and p = softmax(z):
///   value     Σ q (-log p + ε (1 - p))        gradient  (Σ q) p - q + ε p (Σ q p - q)
template <row_target Target>
struct poly1_cross_entropy_term : row_term_base {
  static constexpr bool has_target = true;
  static constexpr int late = 1;  // Σ q p

  Target target;
  double epsilon;

  poly1_cross_entropy_term(Target target_, double epsilon_) : target(target_), epsilon(epsilon_) {}

  template <operand V>
  struct row {
    V loss, mass, hit;  // hit: Σ q p
  };

  template <operand V>
  HONE_HD void second(row_element<V> const& e, row_statistics<V> const&, V (&late_)[2]) const {
    late_[0] = late_[0] + e.q * e.p;
  }
  template <operand V>
  HONE_HD row<V> finish(row_statistics<V> const& s) const {
    return {s.mass * s.log_sum - s.dot + V(epsilon) * (s.mass - s.late[0]), s.mass, s.late[0]};
  }
  template <operand V>
  HONE_HD V gradient(row<V> const& r, row_element<V> const& e) const {
    return e.p * (r.mass + V(epsilon) * (r.hit - e.q)) - e.q;
  }
};

/// Σ q (-log p + ε (1 - p)), which is cross entropy + ε (1 - p_t) with p_t = Σ q p where q sums to 1 (Leng et al. 2022,
/// arXiv 2204.12511; optax's poly_loss_cross_entropy). ε finite.
template <class Target>
auto poly1_cross_entropy(Target target, poly1_cross_entropy_options options = {}) {
  static_assert(row_target<Target>,
                "poly1_cross_entropy: the argument must be a target: wrap labels in hone::classes, a matrix in "
                "hone::probabilities");
  const double epsilon = options.epsilon;
  detail::require(detail::finite(epsilon), "poly1_cross_entropy", "epsilon", epsilon, "finite");
  return poly1_cross_entropy_term<Target>(target, epsilon);
}

static_assert(row_term<poly1_cross_entropy_term<classes_target<int>>>);

}  // namespace hone::inline HONE_ABI

#include <hone/core/macros_pop.hpp>
