// SPDX-License-Identifier: MIT
/// Every number of the gradients limited on its own.
#pragma once

#include <hone/gradient/step.hpp>

#include <hone/core/macros_push.hpp>

namespace hone::inline HONE_ABI {

struct clip_by_value_step {
  static constexpr step_kind kind = step_kind::value;

  double limit;
};

/// clamp(g, -limit, limit), limit >= 0. It changes the gradient's direction; clipping by a norm does not.
inline clip_by_value_step clip_by_value(real limit) { return {detail::require_max("clip_by_value", "limit", limit)}; }
static_assert(gradient_step<clip_by_value_step>);

}  // namespace hone::inline HONE_ABI

#include <hone/core/macros_pop.hpp>
