// SPDX-License-Identifier: MIT
/// Cross entropy of a row of logits against any target.
#pragma once

#include <hone/loss/row/term.hpp>
#include <hone/target/classes.hpp>

#include <hone/core/macros_push.hpp>

namespace hone::inline HONE_ABI {

/// With q the target and p = softmax(z):
///   value     Σ q (logsumexp(z) - z)  =  (Σ q) log Σ exp(z - max) - Σ q (z - max)
///   gradient  (Σ q) p - q
template <row_target Target>
struct cross_entropy_term : row_term_base {
  using statistics = row::list<row::softmax<>, row::target>;

  Target target;

  explicit cross_entropy_term(Target target_) : target(target_) {}

  template <operand V>
  struct result {
    V loss, rate;
  };

  template <operand V>
  HONE_HD result<V> finish(row::normaliser<V> const& p, row::target_sums<V> const& q) const {
    return {q.mass * p.log_sum - q.dot, q.mass * p.inverse};
  }
  /// Returns r, for which gradient() then is `factor` times what it was, if its targets are.
  template <operand V>
  HONE_HD static result<V> scaled(result<V> const& r, V factor) {
    return {r.loss, r.rate * factor};
  }
  template <operand V, class E>
  HONE_HD V gradient(result<V> const& r, E const& e) const {
    return r.rate * row::weight(e) - row::target_of(e);
  }
};

/// Loss -Σ q log softmax(z). The target q is made of hone::classes, probabilities, mix, smooth and weigh_classes.
template <class Target>
auto cross_entropy(Target target) {
  static_assert(row_target<Target>,
                "cross_entropy: the argument must be a target: wrap labels in hone::classes, a "
                "matrix in hone::probabilities");
  return cross_entropy_term<Target>(target);
}

static_assert(row_term<cross_entropy_term<classes_target<int>>>);

}  // namespace hone::inline HONE_ABI

#include <hone/core/macros_pop.hpp>
