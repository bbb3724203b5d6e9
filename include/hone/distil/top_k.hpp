// SPDX-License-Identifier: MIT
/// A teacher's outputs in short: the k likeliest classes of each row, and the joint probability of all others.
#pragma once

#include <hone/core/error.hpp>
#include <hone/core/number.hpp>

#include <cstdint>
#include <vector>

#include <hone/core/macros_push.hpp>

namespace hone::inline HONE_ABI {

/// Row i lists the classes classes[i k] < … < classes[i k + k - 1] with their log-probabilities, and `rest`, the
/// log-probability of all unlisted classes together (-inf if there are none), of a softmax at `temperature`. The arrays
/// are in the memory of the backend: on the host, or on the device.
struct top_k_view {
  std::int32_t const* classes = nullptr;     ///< rows × k
  float const* log_probabilities = nullptr;  ///< rows × k, at most 0
  float const* rest = nullptr;               ///< rows, at most 0
  index rows = 0, columns = 0, k = 0;        ///< columns: classes of the logits
  real temperature = 1;
};

/// The same in host memory that the batch owns.
struct top_k_batch {
  std::vector<std::int32_t> classes;
  std::vector<float> log_probabilities, rest;
  index rows = 0, columns = 0, k = 0;
  real temperature = 1;

  top_k_view view() const noexcept {
    return {classes.data(), log_probabilities.data(), rest.data(), rows, columns, k, temperature};
  }
};

}  // namespace hone::inline HONE_ABI

#include <hone/core/macros_pop.hpp>
