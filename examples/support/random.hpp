// SPDX-License-Identifier: MIT
/// Random numbers that are the same with every standard library: bits of the generator, never std:: distributions.
#pragma once

#include <Eigen/Core>

#include <cmath>
#include <cstdint>
#include <random>
#include <utility>
#include <vector>

namespace demo {

/// In [0, 1).
inline double uniform(std::mt19937_64& random) { return std::ldexp(static_cast<double>(random() >> 11), -53); }

/// He's initialisation, uniform.
template <class Map>
void fill_uniform(std::mt19937_64& random, Map weights, Eigen::Index inputs) {
  const double limit = std::sqrt(6.0 / static_cast<double>(inputs));
  for (auto& w : weights.reshaped())
    w = static_cast<std::remove_reference_t<decltype(w)>>(limit * (2 * uniform(random) - 1));
}

/// Fisher and Yates.
inline void shuffle(std::vector<std::uint32_t>& order, std::mt19937_64& random) {
  for (std::size_t i = order.size(); i > 1; --i) std::swap(order[i - 1], order[random() % i]);
}

}  // namespace demo
