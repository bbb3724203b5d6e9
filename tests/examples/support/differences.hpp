// SPDX-License-Identifier: MIT
/// What networks are tested with: made-up numbers, and derivatives by finite differences.
#pragma once

#include "patches.hpp"

#include <random>

namespace test {

/// In [-1, 1).
inline demo::matrix<double> made_up(Eigen::Index rows, Eigen::Index columns, unsigned seed) {
  demo::matrix<double> m(rows, columns);
  std::mt19937 random(seed);
  for (double& x : m.reshaped()) x = static_cast<double>(random()) / 4294967296.0 * 2 - 1;
  return m;
}

/// Of value() by a parameter that it depends on. h is so small that no ReLU turns within it.
double derivative(double& parameter, double h, const auto& value) {
  const double kept = parameter;
  parameter = kept + h;
  const double above = value();
  parameter = kept - h;
  const double below = value();
  parameter = kept;
  return (above - below) / (2 * h);
}

}  // namespace test
