// SPDX-License-Identifier: MIT
/// Central differences of what hone::evaluate returns: a second opinion on its gradient.
#pragma once

#include <hone/hone.hpp>

#include <algorithm>
#include <cmath>
#include <vector>

namespace support {

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
