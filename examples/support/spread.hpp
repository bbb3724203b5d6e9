// SPDX-License-Identifier: MIT
/// How far apart several trainings are.
#pragma once

#include <cmath>
#include <span>

namespace demo {

/// Mean and sample standard deviation (n - 1; 0 for a single number).
struct spread {
  double mean = 0, deviation = 0;
};
inline spread spread_of(std::span<const double> numbers) {
  if (numbers.empty()) return {};
  const auto n = static_cast<double>(numbers.size());
  double mean = 0, squares = 0;
  for (double x : numbers) mean += x / n;
  for (double x : numbers) squares += (x - mean) * (x - mean);
  return {mean, numbers.size() > 1 ? std::sqrt(squares / (n - 1)) : 0};
}

}  // namespace demo
