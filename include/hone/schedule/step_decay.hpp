// SPDX-License-Identifier: MIT
/// A staircase: the same factor after every period.
#pragma once

#include <hone/schedule/exponential.hpp>

#include <algorithm>
#include <cmath>
#include <cstdint>

#include <hone/core/macros_push.hpp>

namespace hone::inline HONE_ABI {

/// Step decay.
///   rate(t) = max(floor, peak · factor^⌊t / period⌋)
/// The first step with a new rate is step `period`. There is no end: the rate approaches 0, or reaches the floor and
/// stays there. For periods of different lengths see milestones.
///
///     const hone::step_decay schedule{.peak = 0.1, .factor = 0.1, .period = 30};
///     optimiser.rate = schedule.rate(epoch);
///
/// Throws hone::invalid_argument if peak or floor is not finite, peak < floor, factor is outside (0, 1],
/// period < 1 or step < 0.
/// Source: He et al., Deep Residual Learning, 2015, arXiv 1512.03385, section 3.4 (a factor of 0.1, repeatedly).
struct step_decay {
  real peak = 0;       ///< the rate of the first period, at least floor
  real floor = 0;      ///< lower limit of the rate
  real factor = 0.1;   ///< rate of a period / rate of the one before, in (0, 1]
  integer period = 0;  ///< steps of the same rate, at least 1; required

  HONE_HD double rate(integer step) const {
    detail::require_decay("step_decay", peak, floor, factor);
    detail::require_count("step_decay", "period", period);
    detail::require_step("step_decay", step);
    const std::int64_t periods = step / period;
    return detail::larger(floor, peak * std::pow(factor, static_cast<double>(periods)));
  }
};
static_assert(schedule<step_decay>);

}  // namespace hone::inline HONE_ABI

#include <hone/core/macros_pop.hpp>
