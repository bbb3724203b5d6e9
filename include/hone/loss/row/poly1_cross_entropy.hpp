// SPDX-License-Identifier: MIT
/// Poly-1 on a softmax: the first term of cross entropy's series gets a larger weight.
#pragma once

#include <hone/loss/row/term.hpp>
#include <hone/target/classes.hpp>

#include <hone/core/macros_push.hpp>

namespace hone::inline HONE_ABI {

struct poly1_cross_entropy_options {
  real epsilon = 2;  ///< weight added to the first term of the series; finite
};

/// With q the target and p = softmax(z):
///   value     Σ q (-log p + ε (1 - p))        gradient  (Σ q) p - q + ε p (Σ q p - q)
template <row_target Target>
struct poly1_cross_entropy_term : row_term_base {
  using statistics = row::list<row::softmax<>, row::target>;
  using later_sweep = row::sweep<1, row::labelled>;  // Σ q p

  Target target;
  double epsilon;

  poly1_cross_entropy_term(Target target_, double epsilon_) : target(target_), epsilon(epsilon_) {}

  template <operand V>
  struct sums {
    V entropy, mass, inverse;
  };
  template <operand V>
  struct result {
    V loss, mass, hit, inverse;  // hit: Σ q p
  };

  template <operand V>
  HONE_HD sums<V> start(row::normaliser<V> const& p, row::target_sums<V> const& q) const {
    return {q.mass * p.log_sum - q.dot, q.mass, p.inverse};
  }
  template <operand V, class E>
  HONE_HD bundle<V, 1> later(sums<V> const& s, E const& e) const {
    return {{row::target_of(e) * (row::weight(e) * s.inverse)}};
  }
  template <operand V>
  HONE_HD result<V> finish(sums<V> const& s, bundle<V, 1> const& hit) const {
    return {s.entropy + V(epsilon) * (s.mass - hit[0]), s.mass, hit[0], s.inverse};
  }
  template <operand V, class E>
  HONE_HD V gradient(result<V> const& r, E const& e) const {
    const V q = row::target_of(e);
    return row::weight(e) * r.inverse * (r.mass + V(epsilon) * (r.hit - q)) - q;
  }
};

/// Σ q (-log p + ε (1 - p)); if q sums to 1, this is cross entropy + ε (1 - p_t) with p_t = Σ q p (Leng et al. 2022,
/// arXiv 2204.12511; optax's poly_loss_cross_entropy). Throws hone::invalid_argument if ε is not finite.
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
