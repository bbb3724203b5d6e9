// SPDX-License-Identifier: MIT
/// What every loss on a sigmoid needs, from one exponential and one division.
#pragma once

#include <hone/core/operand.hpp>

namespace hone {

/// σ(x) and 1 - σ(x), both to full relative accuracy, and softplus(x) = log(1 + e^x). Losses count a logit beyond
/// ±3e38, an infinite one too, as if it were there: what 0 multiplies is 0.
template <operand V>
struct logistic {
  V p, rest, softplus, capped;

  HONE_HD explicit logistic(V x) {
    const V e = exp_of_nonpositive(-abs(x));  // in [0, 1]: cannot overflow
    const V larger = V(1) / (V(1) + e), smaller = e * larger;
    p = select(x < V(0), smaller, larger);
    rest = select(x < V(0), larger, smaller);
    capped = max(min(x, V(3e38)), V(-3e38));
    softplus = max(capped, V(0)) + log1p_of_unit(e);
  }

  /// Binary cross entropy against t in [0, 1].
  HONE_HD V cross_entropy(V, V t) const { return softplus - t * capped; }
};

}  // namespace hone
