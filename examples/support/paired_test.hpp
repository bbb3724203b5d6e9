// SPDX-License-Identifier: MIT
/// Student's paired test: whether one of two things that were tried with the same seeds is better.
#pragma once

#include "spread.hpp"

#include <cmath>
#include <limits>
#include <numbers>
#include <span>
#include <vector>

namespace demo {

/// P(|T| > |t|) of Student's distribution with a whole number of degrees of freedom, at least 1: Abramowitz and Stegun
/// 26.7.3 (odd) and 26.7.4 (even), finite sums.
inline double two_sided_p(double t, int freedom) {
  if (std::isinf(t)) return 0;
  const double theta = std::atan(std::abs(t) / std::sqrt(freedom)), sine = std::sin(theta), cosine = std::cos(theta);
  const bool odd = freedom % 2 == 1;
  double term = odd ? cosine : 1, sum = freedom > 1 ? term : 0;
  for (int k = odd ? 3 : 2; k <= freedom - 2; k += 2) {
    term *= cosine * cosine * (k - 1) / k;
    sum += term;
  }
  const double inside = odd ? 2 / std::numbers::pi * (theta + sine * sum) : sine * sum;
  return std::fmax(0, 1 - inside);
}

/// Of after - before, seed by seed. p is 1 where there is nothing to tell.
struct paired_test {
  int pairs = 0, lower = 0;  // lower: pairs in which it fell
  double mean = 0, deviation = 0, t = 0, p = 1;
};

inline paired_test compare(std::span<const double> before, std::span<const double> after) {
  std::vector<double> differences;
  paired_test r;
  for (std::size_t i = 0; i < std::min(before.size(), after.size()); ++i) {
    differences.push_back(after[i] - before[i]);
    r.lower += after[i] < before[i] ? 1 : 0;
  }
  const spread s = spread_of(differences);
  r.pairs = static_cast<int>(differences.size()), r.mean = s.mean, r.deviation = s.deviation;
  if (r.pairs < 2 || r.mean == 0) return r;
  r.t = r.deviation > 0 ? r.mean / (r.deviation / std::sqrt(r.pairs))
                        : std::copysign(std::numeric_limits<double>::infinity(), r.mean);
  r.p = two_sided_p(r.t, r.pairs - 1);
  return r;
}

}  // namespace demo
