// SPDX-License-Identifier: MIT
/// Half a cosine up, then half a cosine down to a floor far below the start.
#pragma once

#include <hone/schedule/cosine.hpp>

#include <cstdint>

#include <hone/core/macros_push.hpp>

namespace hone::inline HONE_ABI {

/// The 1cycle policy: the rate rises to a large peak, then falls far below the start.
///   rate(t) = start + ½ (peak - start) (1 - cos(π t / rise))                            for 0 <= t < rise
///   rate(t) = floor + ½ (peak - floor) (1 + cos(π (t - rise) / (total - rise)))         for rise <= t < total
///   rate(t) = floor                                                                     for total <= t
/// `total` includes the rise. With rise = 0 this is a cosine; with rise = total the rate jumps to the floor.
/// Use it for the momentum in the opposite direction: {.start = 0.95, .peak = 0.85, .floor = 0.95, …}, the same steps.
///
///     const hone::one_cycle schedule{.start = 0.04, .peak = 1, .floor = 4e-6, .rise = 300, .total = 1000};
///     optimiser.rate = schedule.rate(step);
///
/// Throws hone::invalid_argument if start, peak or floor is not finite, total < 1, rise is outside [0, total]
/// or step < 0.
/// Source: Smith and Topin, Super-Convergence, 2018, arXiv 1708.07120 (straight lines); half cosines as in fast.ai.
struct one_cycle {
  real start = 0;     ///< the rate at step 0, if there is a rise
  real peak = 0;      ///< the rate at step `rise`
  real floor = 0;     ///< the rate at step `total` and later
  integer rise = 0;   ///< steps from start to peak, in [0, total]
  integer total = 0;  ///< steps from start to floor, at least 1; required

  HONE_HD double rate(integer step) const {
    detail::require_rate("one_cycle", "start", start);
    detail::require_rate("one_cycle", "peak", peak);
    detail::require_rate("one_cycle", "floor", floor);
    detail::require_count("one_cycle", "total", total);
    detail::require(rise >= 0 && rise <= total, "one_cycle", "rise", rise.value, "in [0, total]");
    detail::require_step("one_cycle", step);
    if (step >= total) return floor;
    if (step < rise) return detail::half_cosine(start, peak, static_cast<double>(step), static_cast<double>(rise));
    // Differences of integers, because those of doubles are 0 if the last phase is short and begins above 2^53.
    return detail::half_cosine(peak, floor, static_cast<double>(step - rise), static_cast<double>(total - rise));
  }
};
static_assert(schedule<one_cycle>);

}  // namespace hone::inline HONE_ABI

#include <hone/core/macros_pop.hpp>
