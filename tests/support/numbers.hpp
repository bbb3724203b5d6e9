// SPDX-License-Identifier: MIT
/// Fixed numbers and labels for tests.
#pragma once

#include <hone/core/number.hpp>

#include <cmath>
#include <vector>

namespace support {

/// Fixed numbers in (-4, 4), different for every i.
inline double noise(hone::index i) {
  return 3 * std::sin(12.9898 * static_cast<double>(i) + 0.5) + std::cos(7.1 * static_cast<double>(i));
}
inline std::vector<double> noise(hone::index from, hone::index count) {
  std::vector<double> x;
  x.reserve(static_cast<std::size_t>(count));
  for (hone::index i = 0; i < count; ++i) x.push_back(noise(from + i));
  return x;
}

/// Labels of n rows that go round the K classes.
inline std::vector<int> labels(hone::index n, hone::index K) {
  std::vector<int> y;
  y.reserve(static_cast<std::size_t>(n));
  for (hone::index i = 0; i < n; ++i) y.push_back(static_cast<int>((i * 7 + 2) % K));
  return y;
}

}  // namespace support
