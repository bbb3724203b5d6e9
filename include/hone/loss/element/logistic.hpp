// SPDX-License-Identifier: MIT
/// The values that every loss on a sigmoid needs, from one exponential and one division.
#pragma once

#include <hone/core/operand.hpp>

#include <hone/core/macros_push.hpp>

namespace hone::inline HONE_ABI {

/// The weight 1 of positives, which costs no arithmetic.
struct unweighed {
  template <operand V>
  friend HONE_HD V operator*(unweighed, V t) {
    return t;
  }
};

/// p = σ(x) and complement = 1 - p, both to full relative accuracy, and softplus(x) = log(1 + e^x). Losses clamp logits
/// to ±3e38, infinite ones too, so that 0 times a logit is 0.
template <operand V>
struct logistic {
  V p, complement, softplus, capped, tail;  // tail: log(1 + e^-|x|)
  V larger, smaller;                        // of p and complement

  HONE_HD HONE_INLINE explicit logistic(V x) {
    const V size = abs(x), e = exp_of_minus(size);  // in [0, 1]: cannot overflow
    larger = reciprocal(V(1) + e), smaller = e * larger;
    p = select(x < V(0), smaller, larger);
    complement = select(x < V(0), larger, smaller);
    capped = max(min(x, V(3e38)), V(-3e38));
    tail = log1p_of_unit(e);
    softplus = max(capped, V(0)) + tail;
  }

  /// Binary cross entropy against t in [0, 1]: log(1 + e^-|x|), plus |x| times t or 1 - t.
  HONE_HD HONE_INLINE V cross_entropy(V x, V t) const {
    return min(abs(x), V(3e38)) * select(x < V(0), t, V(1) - t) + tail;
  }

  /// p (1-t) + (1-p) t.
  HONE_HD HONE_INLINE V missed(V x, V t) const {
    const V u = V(1) - t;
    return larger * select(x < V(0), t, u) + smaller * select(x < V(0), u, t);
  }

  /// The same with the weight w on positives, and its gradient:
  ///   value  (1-t) softplus(x) + w t softplus(-x)        gradient  (1-t) σ - w t (1-σ)
  HONE_HD V cross_entropy(V x, V t, unweighed) const { return cross_entropy(x, t); }
  HONE_HD V cross_entropy(V, V t, V w) const { return (V(1) - t) * softplus + w * t * (max(-capped, V(0)) + tail); }
  HONE_HD V slope(V t, unweighed) const { return p - t; }
  HONE_HD V slope(V t, V w) const { return (V(1) - t) * p - w * t * complement; }
};

}  // namespace hone::inline HONE_ABI

#include <hone/core/macros_pop.hpp>
