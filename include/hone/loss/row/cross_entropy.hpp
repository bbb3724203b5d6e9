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
  static constexpr bool has_target = true;

  Target target;

  explicit cross_entropy_term(Target target_) : target(target_) {}

  template <operand V>
  struct row {
    V loss, mass;
  };

  template <operand V>
  HONE_HD row<V> finish(row_statistics<V> const& s) const {
    return {s.mass * s.log_sum - s.dot, s.mass};
  }
  template <operand V>
  HONE_HD V gradient(row<V> const& r, row_element<V> const& e) const {
    return r.mass * e.p - e.q;
  }
};

/// -Σ q log softmax(z), with a target built from hone::classes, probabilities, mix, smooth and weigh_classes.
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
