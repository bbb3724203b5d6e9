// SPDX-License-Identifier: MIT
/// Twins of losses of single elements.
#pragma once

#include "../parallel.hpp"

namespace bench {

struct element {
  vec loss, gradient;
};

/// With e = exp(-|x|): softplus(x) - t x, and sigmoid(x) - t.
struct binary_twin {
  BENCH_INLINE element operator()(vec x, vec t) const {
    const vec e = exp2_below_1(abs(x) * -log2e), r = reciprocal(1.f + e);
    return {max(x, vec{}) + log1p_to_1(e) - t * x, (x < 0.f ? e * r : r) - t};
  }
};

/// For t of 0 or 1: with z the logit of the right class, q = sigmoid(-z) and CE = softplus(-z),
/// alpha_t q² CE, whose derivative by z is -alpha_t q² (2 (1 - q) CE + q).
struct focal_twin {
  float alpha;

  BENCH_INLINE element operator()(vec x, vec t) const {
    const vec sign = t + t - 1.f, z = sign * x, e = exp2_below_1(abs(z) * -log2e), r = reciprocal(1.f + e),
              q = z < 0.f ? r : e * r, ce = max(-z, vec{}) + log1p_to_1(e),
              weight = ((2 * alpha - 1) * t + (1 - alpha)) * (q * q);
    return {weight * ce, -(sign * weight) * ((ce + ce) * (1.f - q) + q)};
  }
};

template <bool past, class Formula>
double element_piece(Formula f, float const* x, float const* t, float* g, index n, float scale) {
  double total = 0;
  for (index begin = 0; begin < n; begin += 65536) {
    const index end = std::min(n, begin + 65536);
    vec losses{};
    index i = begin;
    for (; i + lanes <= end; i += lanes) {
      prefetch(x + i + 1024);
      prefetch(t + i + 1024);
      const element e = f(load(x + i), load(t + i));
      losses += e.loss;
      if constexpr (past)
        stream(g + i, e.gradient * scale);
      else
        store(g + i, e.gradient * scale);
    }
    if (i < end) {
      const first_lanes some{static_cast<int>(end - i)};
      const element e = f(some.load(x + i), some.load(t + i));
      losses += some.only(e.loss);
      some.store(g + i, e.gradient * scale);
    }
    total += sum(losses);
  }
  if constexpr (past) stream_fence();
  return total;
}

/// The mean of a loss of n elements; g is aligned to 64 bytes.
template <class Formula>
double twin_elements(hone::cpu const& cpu, Formula f, float const* x, float const* t, float* g, index n, bool past) {
  const float scale = 1 / static_cast<float>(n);
  return split(cpu, n, 4096, 0,
               [=](index begin, index end, float*) {
                 return past ? element_piece<true>(f, x + begin, t + begin, g + begin, end - begin, scale)
                             : element_piece<false>(f, x + begin, t + begin, g + begin, end - begin, scale);
               }) /
         static_cast<double>(n);
}

}  // namespace bench
