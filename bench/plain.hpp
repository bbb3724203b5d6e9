// SPDX-License-Identifier: MIT
/// What people write by hand: plain loops over std::exp, value and gradient. One thread.
#pragma once

#include <algorithm>
#include <cmath>
#include <cstdint>

namespace bench::plain {

inline double cross_entropy(float const* z, std::int64_t const* y, float smoothing, std::int64_t rows, std::int64_t K,
                            float* g) {
  double total = 0;
  const float each = smoothing / static_cast<float>(K), n = static_cast<float>(rows);
  for (std::int64_t i = 0; i < rows; ++i, z += K, g += K) {
    const float most = *std::max_element(z, z + K);
    float sum = 0, logits = 0;
    for (std::int64_t c = 0; c < K; ++c) sum += g[c] = std::exp(z[c] - most), logits += z[c] - most;
    const float log_sum = std::log(sum);
    total += log_sum - (1 - smoothing) * (z[y[i]] - most) - each * logits;
    for (std::int64_t c = 0; c < K; ++c) g[c] = (g[c] / sum - each) / n;
    g[y[i]] -= (1 - smoothing) / n;
  }
  return total / static_cast<double>(rows);
}

inline double sigmoid_focal(float const* x, float const* t, std::int64_t size, float* g) {
  double total = 0;
  for (std::int64_t i = 0; i < size; ++i) {
    const float p = 1 / (1 + std::exp(-x[i])),
                ce = std::log1p(std::exp(-std::abs(x[i]))) + std::max(x[i], 0.0f) - t[i] * x[i];
    const float m = p * (1 - t[i]) + (1 - p) * t[i], a = 0.25f * t[i] + 0.75f * (1 - t[i]);
    total += a * m * m * ce;
    g[i] = a * (m * m * (p - t[i]) + 2 * m * p * (1 - p) * (1 - 2 * t[i]) * ce) / static_cast<float>(size);
  }
  return total / static_cast<double>(size);
}

}  // namespace bench::plain
