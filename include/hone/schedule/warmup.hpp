// SPDX-License-Identifier: MIT
/// A warm-up before any schedule.
#pragma once

#include <hone/schedule/constant.hpp>

#include <cmath>

#include <hone/core/macros_push.hpp>

namespace hone::inline HONE_ABI {

struct warmup_options {
  real start = 0;     ///< the rate at step 0, if there is a warm-up
  integer steps = 0;  ///< steps from start to the schedule's first rate, at least 0; 0: no warm-up
  real power = 1;     ///< above 0; 1 is a straight line
};

template <schedule S>
struct warmed {
  S base = {};
  warmup_options options = {};

  HONE_HD double rate(integer step) const {
    detail::require_rate("warmup", "start", options.start);
    detail::require(options.steps >= 0, "warmup", "steps", options.steps.value, "at least 0");
    detail::require_factor("warmup", "power", options.power);
    detail::require_step("warmup", step);
    if (step >= options.steps) return base.rate(step - options.steps);
    const double progress = static_cast<double>(step) / static_cast<double>(options.steps);
    return detail::lerp(options.start, base.rate(0), std::pow(progress, options.power));
  }
};

/// Gradual warm-up: the rate rises to the schedule's first rate, then follows the schedule from its step 0.
///   rate(t) = start + (schedule.rate(0) - start) (t / steps)^power   for 0 <= t < steps
///   rate(t) = schedule.rate(t - steps)                               for steps <= t
/// The lengths of the schedule do not include the warm-up, and step `steps` has exactly its first rate.
///
///     const auto schedule = hone::warmup(hone::polynomial{.peak = 0.1, .total = 900}, {.start = 0, .steps = 100});
///     optimiser.rate = schedule.rate(step);
///
/// `rate` throws hone::invalid_argument if start is not finite, steps < 0, power is not finite and above 0, step < 0
/// or the schedule throws.
/// Source: Goyal et al., Accurate, Large Minibatch SGD, 2017, arXiv 1706.02677, section 2.2; power 4: darknet's
/// burn_in.
template <class S>
constexpr auto warmup(S base, warmup_options options) {
  static_assert(schedule<S>, "warmup: the first argument must be a schedule, with a double rate(hone::integer) const");
  return warmed<S>{base, options};
}
static_assert(schedule<warmed<constant>>);

}  // namespace hone::inline HONE_ABI

#include <hone/core/macros_pop.hpp>
