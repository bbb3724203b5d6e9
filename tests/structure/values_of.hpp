// SPDX-License-Identifier: MIT
/// The inputs of values.py, by the same rule.
#pragma once

#include <hone/core/number.hpp>

#include <structure/values.hpp>

#include <algorithm>
#include <cmath>
#include <vector>

namespace structure_values {

inline std::vector<double> numbers(int salt, hone::index count) {
  std::vector<double> x;
  for (hone::index i = 0; i < count; ++i) x.push_back(static_cast<double>((i * 37 + salt * 11) % 61 - 30) / 8);
  return x;
}

/// No sum with these is 0 or 3, where rounding would choose the derivative.
inline std::vector<double> residuals(hone::index count) {
  std::vector<double> r = numbers(4, count);
  for (double& x : r) x += 1.0 / 1024;
  return r;
}

/// The largest distance between numbers and a table, relative to 1 + the number of the table.
template <std::size_t n>
double distance(std::vector<double> const& seen, double const (&table)[n]) {
  if (seen.size() != n) return 1e300;
  double worst = 0;
  for (std::size_t i = 0; i < n; ++i) {
    const double d = std::abs(seen[i] - table[i]) / (1 + std::abs(table[i]));
    worst = d <= worst ? worst : std::isnan(d) ? 1e300 : d;
  }
  return worst;
}

}  // namespace structure_values
