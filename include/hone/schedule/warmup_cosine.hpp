// SPDX-License-Identifier: MIT
/// A linear warm-up, then half a cosine.
#pragma once

#include <hone/schedule/cosine.hpp>

#include <cmath>
#include <cstdint>

#include <hone/core/macros_push.hpp>

namespace hone::inline HONE_ABI {

/// Linear warm-up followed by cosine annealing.
///   rate(t) = start + (peak - start) t / warmup                                   for 0 <= t < warmup
///   rate(t) = floor + ½ (peak - floor) (1 + cos(π (t - warmup) / (total - warmup))) for warmup <= t < total
///   rate(t) = floor                                                               for total <= t
/// `total` includes the warm-up (as in optax; Keras counts the decay alone), and the cosine begins at the end of the
/// warm-up, so that step `warmup` has exactly `peak`. With warmup = 0 there is no warm-up; with warmup = total there is
/// no cosine: step total - 1 is the last of the warm-up, and step total has the floor.
///
///     const hone::warmup_cosine schedule{.start = 0, .peak = 0.1, .floor = 0, .warmup = 100, .total = 1000};
///     optimiser.rate = schedule.rate(step);
///
/// Throws hone::invalid_argument if start, peak or floor is not finite, total < 1, warmup is outside
/// [0, total] or step < 0.
/// Source: Goyal et al., Accurate, Large Minibatch SGD, 2017, arXiv 1706.02677, section 2.2 (the warm-up);
/// Loshchilov and Hutter, SGDR, 2017, arXiv 1608.03983, equation 5 (the cosine).
struct warmup_cosine {
  real start = 0;      ///< the rate at step 0, if there is a warm-up
  real peak = 0;       ///< the rate at step `warmup`
  real floor = 0;      ///< the rate at step `total` and later
  integer warmup = 0;  ///< steps from start to peak, in [0, total]
  integer total = 0;   ///< steps from start to floor, at least 1; required

  HONE_HD double rate(integer step) const {
    detail::require_rate("warmup_cosine", "start", start);
    detail::require_rate("warmup_cosine", "peak", peak);
    detail::require_rate("warmup_cosine", "floor", floor);
    detail::require_count("warmup_cosine", "total", total);
    detail::require(warmup >= 0 && warmup <= total, "warmup_cosine", "warmup", warmup.value, "in [0, total]");
    detail::require_step("warmup_cosine", step);
    if (step >= total) return floor;
    if (step < warmup) return detail::lerp(start, peak, static_cast<double>(step) / static_cast<double>(warmup));
    // Differences of integers, because those of doubles are 0 if the cosine is short and begins above 2^53.
    return detail::half_cosine(peak, floor, static_cast<double>(step - warmup), static_cast<double>(total - warmup));
  }
};
static_assert(schedule<warmup_cosine>);

}  // namespace hone::inline HONE_ABI

#include <hone/core/macros_pop.hpp>
