// SPDX-License-Identifier: MIT
/// What networks begin with that are lists of named tensors.
#pragma once

#include "named_tensors.hpp"
#include "patches.hpp"
#include "random.hpp"

namespace demo {

/// He's for weights; γ and running variances 1; all else 0. random_of(tensor): a pointer to the generator of its
/// weights; nullptr where they begin at 0 as well.
template <class Vector>
void initialise(const named_tensors& tensors, Vector& parameters, const named_tensors& statistic_tensors,
                Vector& statistics, const auto& random_of) {
  parameters.setZero(tensors.size());
  statistics.setZero(statistic_tensors.size());
  for (const named_tensor& t : tensors) {
    auto to = map_of(parameters.data() + t.at, t.rows, t.columns);
    std::mt19937_64* const random = random_of(t);
    if (random == nullptr) continue;
    if (t.dimensions > 1)
      fill_uniform(*random, to, t.dimensions == 4 ? t.rows : t.columns);
    else if (t.name.ends_with(".weight"))
      to.setOnes();
  }
  for (const named_tensor& t : statistic_tensors)
    if (t.name.ends_with(".running_var")) statistics.segment(t.at, t.size()).setOnes();
}

}  // namespace demo
