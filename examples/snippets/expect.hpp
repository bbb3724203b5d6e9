// SPDX-License-Identifier: MIT
/// How the snippets check themselves: what fails is printed, and `failures` is the exit status.
#pragma once

#include <cmath>
#include <cstdio>

inline int failures = 0;

inline void expect(bool ok, const char* what) {
  if (!ok) std::printf("wrong: %s\n", what), ++failures;
}

/// To the digits that float keeps of a divergence.
inline bool near(double actual, double expected) {
  return std::abs(actual - expected) <= 3e-6 * std::fmax(1, std::abs(expected));
}

inline void expect(double actual, double expected, const char* what) {
  if (near(actual, expected)) return;
  std::printf("wrong: %s is %.9g, not %.9g\n", what, actual, expected);
  ++failures;
}
