// SPDX-License-Identifier: MIT
/// Clips every number of the gradients independently.
#pragma once

#include <hone/gradient/step.hpp>

#include <hone/core/macros_push.hpp>

namespace hone::inline HONE_ABI {

struct clip_by_value_step {
  static constexpr step_kind kind = step_kind::value;

  double limit;
};

/// Clamps each number to ±limit, which changes the direction of g. Throws hone::invalid_argument if limit < 0.
inline clip_by_value_step clip_by_value(real limit) { return {detail::require_max("clip_by_value", "limit", limit)}; }
static_assert(gradient_step<clip_by_value_step>);

}  // namespace hone::inline HONE_ABI

#include <hone/core/macros_pop.hpp>
