// SPDX-License-Identifier: MIT
/// A linear warm-up, then decay by one over the square root of the step.
#pragma once

#include <hone/schedule/schedule.hpp>

#include <cmath>

#include <hone/core/macros_push.hpp>

namespace hone::inline HONE_ABI {

/// The schedule of the Transformer ("Noam"), called inverse_sqrt in fairseq.
///   rate(t) = start + (peak - start) t / warmup    for 0 <= t < warmup
///   rate(t) = peak √(warmup / t)                   for warmup <= t
/// Exactly `peak` at step `warmup`; there is no end. With start = 0 and peak = 1 / √(width · warmup) it is
///   width^-½ min(t^-½, t warmup^-1.5)
/// The authors count steps from 1: use hone::shifted(schedule, 1).
///
///     const hone::inverse_square_root schedule{.peak = 1 / std::sqrt(512. * 4000), .warmup = 4000};
///     optimiser.rate = schedule.rate(step);
///
/// Throws hone::invalid_argument if start or peak is not finite, warmup < 1 or step < 0.
/// Source: Vaswani et al., Attention is all you need, 2017, arXiv 1706.03762, section 5.3.
struct inverse_square_root {
  real start = 0;      ///< the rate at step 0
  real peak = 0;       ///< the rate at step `warmup`
  integer warmup = 0;  ///< steps from start to peak, at least 1; required

  HONE_HD double rate(integer step) const {
    detail::require_rate("inverse_square_root", "start", start);
    detail::require_rate("inverse_square_root", "peak", peak);
    detail::require_count("inverse_square_root", "warmup", warmup);
    detail::require_step("inverse_square_root", step);
    const double t = static_cast<double>(step), rise = static_cast<double>(warmup);
    return step < warmup ? detail::lerp(start, peak, t / rise) : peak * std::sqrt(rise / t);
  }
};
static_assert(schedule<inverse_square_root>);

}  // namespace hone::inline HONE_ABI

#include <hone/core/macros_pop.hpp>
