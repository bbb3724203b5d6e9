// SPDX-License-Identifier: MIT
/// Twins of sweeps over tensors.
#pragma once

#include "../lanes.hpp"

namespace bench {

template <class T>
void twin_average(float* shadow, T const* p, index n, float decay) {
  const float rest = 1 - decay;
  const auto at = [&](auto some, index i) {
    some.store(shadow + i, some.load(shadow + i) * decay + some.load(p + i) * rest);
  };
  index i = 0;
  for (; i + 2 * lanes <= n; i += 2 * lanes) at(whole{}, i), at(whole{}, i + lanes);
  for (; i < n; i += lanes) at(first_lanes{static_cast<int>(n - i < lanes ? n - i : lanes)}, i);
}

inline double twin_squares(float const* p, index n) {
  double total = 0;
  index i = 0;
  while (i + 4 * lanes <= n) {
    vec s[4]{};
    for (const index end = n < i + 8192 ? n : i + 8192; i + 4 * lanes <= end; i += 4 * lanes)
      for (int k = 0; k < 4; ++k) {
        const vec x = load(p + i + k * lanes);
        s[k] += x * x;
      }
    total += static_cast<double>(sum((s[0] + s[1]) + (s[2] + s[3])));
  }
  for (; i < n; ++i) total += static_cast<double>(p[i]) * static_cast<double>(p[i]);
  return total;
}

inline void twin_scale(float* p, index n, float factor) {
  for (index i = 0; i < n; ++i) p[i] *= factor;
}

/// SGD with momentum, and an average of the new parameters, in one sweep.
inline void twin_step(float* __restrict p, float* __restrict m, float* __restrict shadow, float const* __restrict g,
                      index n, float factor, float momentum, float rate, float decay) {
  const float rest = 1 - decay;
  for (index i = 0; i < n; ++i) {
    m[i] = momentum * m[i] + factor * g[i];
    p[i] -= rate * m[i];
    shadow[i] = decay * shadow[i] + rest * p[i];
  }
}

}  // namespace bench
