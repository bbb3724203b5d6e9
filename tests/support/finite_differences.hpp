// SPDX-License-Identifier: MIT
/// Central differences of what hone::evaluate returns: a second opinion on its gradient.
#pragma once

#include <hone/hone.hpp>

#include <algorithm>
#include <cmath>
#include <vector>

namespace support {

/// Fixed numbers in (-4, 4), different for every i.
inline double noise(hone::index i) {
  return 3 * std::sin(12.9898 * static_cast<double>(i) + 0.5) + std::cos(7.1 * static_cast<double>(i));
}
inline std::vector<double> noise(hone::index from, hone::index count) {
  std::vector<double> x;
  for (hone::index i = 0; i < count; ++i) x.push_back(noise(from + i));
  return x;
}

/// The largest distance between the gradient of n rows and (f(z + h) - f(z - h)) / 2h, relative to 1 + |f|.
template <class Objective>
double distance_from_differences(Objective const& objective, std::vector<double> z, hone::index n, hone::index K,
                                 hone::reduction how) {
  const double h = 1e-5;
  const hone::cpu one(1);
  std::vector<double> gradient(z.size());
  const double value =
      hone::evaluate(one, objective, hone::matrix_view{z.data(), n, K}, {.gradient = {gradient.data(), n, K}}, how);
  double worst = 0;
  for (std::size_t i = 0; i < z.size(); ++i) {
    const double at = z[i];
    z[i] = at + h;
    const double above = hone::evaluate(one, objective, hone::matrix_view{z.data(), n, K}, {}, how);
    z[i] = at - h;
    const double below = hone::evaluate(one, objective, hone::matrix_view{z.data(), n, K}, {}, how);
    z[i] = at;
    worst = std::max(worst, std::abs((above - below) / (2 * h) - gradient[i]));
  }
  return worst / (1 + std::abs(value));
}

}  // namespace support
