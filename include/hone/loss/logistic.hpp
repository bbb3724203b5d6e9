// SPDX-License-Identifier: MIT
/// What every loss on a sigmoid needs, from one exponential and one division.
#pragma once

#include <hone/core/operand.hpp>

namespace hone {

/// σ(x) and 1 - σ(x), both to full relative accuracy, softplus(x) = log(1 + e^x), and log(1 + e^-|x|).
template <operand V>
struct logistic {
  V p, rest, softplus, tail;

  HONE_HD explicit logistic(V x) {
    const V e = exp_of_nonpositive(-abs(x));  // in [0, 1]: cannot overflow
    const V larger = V(1) / (V(1) + e), smaller = e * larger;
    p = select(x < V(0), smaller, larger);
    rest = select(x < V(0), larger, smaller);
    tail = log1p_of_unit(e);
    softplus = max(x, V(0)) + tail;
  }

  /// Binary cross entropy against t in [0, 1], softplus(x) - t x without a difference of large numbers: 0 where an
  /// infinite x is right.
  HONE_HD V cross_entropy(V x, V t) const { return portion(select(x < V(0), t, V(1) - t), abs(x)) + tail; }
};

}  // namespace hone
