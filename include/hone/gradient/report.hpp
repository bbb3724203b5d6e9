// SPDX-License-Identifier: MIT
/// What transform and measure found out about the gradients of a step.
#pragma once

#include <hone/core/number.hpp>

#include <hone/core/macros_push.hpp>

namespace hone::inline HONE_ABI {

/// norm         of all gradients together, after unscaling and before clipping; where a clip_by_global_norm has another
///              p than 2, its p-norm
/// coefficient  the factor of clip_by_global_norm, 1 without it
/// factor       coefficient / scale: what a gradient has been multiplied with by unscale and clip_by_global_norm
/// finite       whether the norm is, and what was to be written is in the range of the gradients' type; where not,
///              nothing was changed and the step should be skipped
struct gradient_report {
  double norm = 0;
  double coefficient = 1;
  double factor = 1;
  bool finite = true;
};

}  // namespace hone::inline HONE_ABI

#include <hone/core/macros_pop.hpp>
