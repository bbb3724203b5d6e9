// SPDX-License-Identifier: MIT
/// The report of transform and measure on the gradients of a step.
#pragma once

#include <hone/core/number.hpp>

#include <hone/core/macros_push.hpp>

namespace hone::inline HONE_ABI {

/// norm         of all gradients together, after unscaling and before clipping: the 2-norm or, if the chain has a
///              clip_by_global_norm, the p-norm of the first
/// coefficient  the product of the factors of clip_by_global_norm, 1 without it
/// factor       coefficient / scale: unscale and clip_by_global_norm multiply every gradient by it
/// finite       whether the norm is finite and all results are in the range of the gradients' type; if false, no
///              gradient was changed and the step should be skipped
struct gradient_report {
  double norm = 0;
  double coefficient = 1;
  double factor = 1;
  bool finite = true;
};

}  // namespace hone::inline HONE_ABI

#include <hone/core/macros_pop.hpp>
