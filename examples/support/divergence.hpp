// SPDX-License-Identifier: MIT
/// The end of a training that learns nothing any more.
#pragma once

#include <cmath>
#include <cstdint>
#include <stdexcept>
#include <string>

namespace demo {

/// The loss is no longer a number.
struct divergence : std::runtime_error {
  using std::runtime_error::runtime_error;
};

/// Throws divergence, which names the training and the step, where the loss is not finite.
inline void require_finite(double loss, const std::string& recipe, std::uint64_t seed, std::ptrdiff_t step) {
  if (!std::isfinite(loss))
    throw divergence("recipe " + recipe + ", seed " + std::to_string(seed) + ": the loss is not finite at step " +
                     std::to_string(step) + "; try a smaller --rate");
}

}  // namespace demo
