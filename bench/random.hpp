// SPDX-License-Identifier: MIT
/// The inputs of works: random, and the same in every run.
#pragma once

#include "work.hpp"

#include <algorithm>
#include <cmath>
#include <random>
#include <vector>

namespace bench {

/// Numbers of a sequence of a million, repeated, because large arrays would take seconds.
class random_numbers {
 public:
  template <class T>
  void normal(T* to, index n, float mean, float deviation) {
    std::normal_distribution<float> next(mean, deviation);
    fill(to, n, [&] { return next(bits_); });
  }
  template <class T>
  void uniform(T* to, index n, float from, float below) {
    std::uniform_real_distribution<float> next(from, below);
    fill(to, n, [&] { return next(bits_); });
  }
  void labels(index* to, index n, index classes) {
    for (index i = 0; i < n; ++i) to[i] = static_cast<index>(bits_() % static_cast<unsigned>(classes));
  }
  /// Rows of probabilities.
  template <class T>
  void distributions(T* to, index rows, index columns, index stride) {
    uniform(to, rows * stride, 0, 1);
    for (index i = 0; i < rows; ++i, to += stride) {
      float total = 0;
      for (index c = 0; c < columns; ++c) total += static_cast<float>(to[c]);
      for (index c = 0; c < columns; ++c) to[c] = static_cast<T>(static_cast<float>(to[c]) / total);
    }
  }

 private:
  template <class T, class Next>
  void fill(T* to, index n, Next const& next) {
    constexpr index period = 1 << 20;
    for (index i = 0; i < std::min(n, period); ++i) to[i] = static_cast<T>(next());
    for (index i = period; i < n; ++i) to[i] = to[i - period];
  }

  std::mt19937 bits_{1};
};

}  // namespace bench
