// SPDX-License-Identifier: MIT
/// A power of the remaining fraction, from the peak down to the floor.
#pragma once

#include <hone/schedule/schedule.hpp>

#include <cmath>

#include <hone/core/macros_push.hpp>

namespace hone::inline HONE_ABI {

/// Polynomial decay; a straight line with power 1 (the default).
///   rate(t) = floor + (peak - floor) (1 - t / total)^power for 0 <= t <= total, floor afterwards
/// Exactly `peak` at step 0 and exactly `floor` from step `total` on. If peak < floor, the rate rises.
///
///     const hone::polynomial schedule{.peak = 0.1, .floor = 0, .power = 2, .total = 1000};
///     optimiser.rate = schedule.rate(step);
///
/// Throws hone::invalid_argument if peak or floor is not finite, power is not finite and above 0, total < 1 or
/// step < 0.
/// Source: Chen et al., DeepLab, 2017, arXiv 1606.00915, section 4.1 ("poly", with power 0.9).
struct polynomial {
  real peak = 0;      ///< the rate at step 0
  real floor = 0;     ///< the rate at step `total` and later
  real power = 1;     ///< above 0; above 1 falls faster at first, below 1 at the end
  integer total = 0;  ///< steps from peak to floor, at least 1; required

  HONE_HD double rate(integer step) const {
    detail::require_rate("polynomial", "peak", peak);
    detail::require_rate("polynomial", "floor", floor);
    detail::require_factor("polynomial", "power", power);
    detail::require_count("polynomial", "total", total);
    detail::require_step("polynomial", step);
    if (step >= total) return floor;
    const double length = static_cast<double>(total);
    return detail::lerp(floor, peak, std::pow((length - static_cast<double>(step)) / length, power));
  }
};
static_assert(schedule<polynomial>);

}  // namespace hone::inline HONE_ABI

#include <hone/core/macros_pop.hpp>
