// SPDX-License-Identifier: MIT
/// What every loss on a sigmoid needs, from one exponential and one division.
#pragma once

#include <hone/core/operand.hpp>

namespace hone {

/// σ(x) and 1 - σ(x), both to full relative accuracy, and softplus(x) = log(1 + e^x).
template <operand V>
struct logistic {
  V p, rest, softplus;

  HONE_HD explicit logistic(V x) {
    const V e = exp_of_nonpositive(-abs(x));  // in [0, 1]: cannot overflow
    const V larger = V(1) / (V(1) + e), smaller = e * larger;
    p = select(x < V(0), smaller, larger);
    rest = select(x < V(0), larger, smaller);
    softplus = max(x, V(0)) + log1p_of_unit(e);
  }

  /// Binary cross entropy against t in [0, 1].
  HONE_HD V cross_entropy(V x, V t) const { return softplus - t * x; }
};

}  // namespace hone
