// SPDX-License-Identifier: MIT
/// Where norms have their numbers.
#pragma once

#include "named_tensors.hpp"

namespace demo {

using Eigen::Index;

/// Where the γ and β of a norm begin in the parameters, and its mean and variance in the statistics.
struct norm_place {
  Index parameters = 0, statistics = 0;
};

inline norm_place add_norm(const std::string& name, Index channels, named_tensors& parameters,
                           named_tensors& statistics) {
  const norm_place at{parameters.size(), statistics.size()};
  parameters.add(name + ".weight", 1, channels, 1);
  parameters.add(name + ".bias", 1, channels, 1);
  statistics.add(name + ".running_mean", 1, channels, 1);
  statistics.add(name + ".running_var", 1, channels, 1);
  return at;
}

}  // namespace demo
