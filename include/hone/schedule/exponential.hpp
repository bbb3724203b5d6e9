// SPDX-License-Identifier: MIT
/// A decay by the same factor at every step.
#pragma once

#include <hone/schedule/schedule.hpp>

#include <algorithm>
#include <cmath>

#include <hone/core/macros_push.hpp>

namespace hone::inline HONE_ABI {

namespace detail {

/// Checks the common members of exponential and step_decay.
HONE_HD inline void require_decay(const char* function, double peak, double floor, double factor) {
  require_rate(function, "peak", peak);
  require_rate(function, "floor", floor);
  require(peak >= floor, function, "peak", peak, "at least floor");
  require(factor > 0 && factor <= 1, function, "factor", factor, "in (0, 1]");
}

}  // namespace detail

/// Exponential decay, smooth within a period too.
///   rate(t) = max(floor, peak · factor^(t / period))
/// Exactly `peak` at step 0. There is no end: the rate approaches 0, or reaches the floor and stays there.
///
///     const hone::exponential schedule{.peak = 0.1, .factor = 0.97, .period = 100};
///     optimiser.rate = schedule.rate(step);
///
/// Throws hone::invalid_argument if peak or floor is not finite, peak < floor, factor is outside (0, 1],
/// period < 1 or step < 0.
struct exponential {
  real peak = 0;       ///< the rate at step 0, at least floor
  real floor = 0;      ///< lower limit of the rate
  real factor = 1;     ///< rate after a period / rate before it, in (0, 1]
  integer period = 1;  ///< steps in which the rate falls by the factor, at least 1

  HONE_HD double rate(integer step) const {
    detail::require_decay("exponential", peak, floor, factor);
    detail::require_count("exponential", "period", period);
    detail::require_step("exponential", step);
    return detail::larger(floor, peak * std::pow(factor, static_cast<double>(step) / static_cast<double>(period)));
  }
};
static_assert(schedule<exponential>);

}  // namespace hone::inline HONE_ABI

#include <hone/core/macros_pop.hpp>
