// SPDX-License-Identifier: MIT
/// What a teacher thinks of each row, in short: its k likeliest classes, and what all others share.
#pragma once

#include <hone/core/error.hpp>
#include <hone/core/number.hpp>

#include <cstdint>
#include <vector>

#include <hone/core/macros_push.hpp>

namespace hone::inline HONE_ABI {

/// Row i lists the classes classes[i k] < … < classes[i k + k - 1] with the logarithms of their probabilities, and
/// the logarithm of the others' probability together (-inf where there are none), all of a softmax at `temperature`.
/// Where it is evaluated there its arrays lie: on the host, or in device memory.
struct top_k_view {
  std::int32_t const* classes = nullptr;     ///< rows × k
  float const* log_probabilities = nullptr;  ///< rows × k, at most 0
  float const* rest = nullptr;               ///< rows, at most 0
  index rows = 0, columns = 0, k = 0;        ///< columns: of the logits that it speaks of
  real temperature = 1;
};

/// The same with memory of its own, on the host.
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
