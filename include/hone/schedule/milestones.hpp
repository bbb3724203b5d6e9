// SPDX-License-Identifier: MIT
/// A staircase whose steps the caller places.
#pragma once

#include <hone/schedule/schedule.hpp>

#include <cmath>
#include <cstddef>
#include <cstdint>

namespace hone {

/// Step decay at N given steps.
///   rate(t) = peak · factor^(how many milestones are <= t)
/// The milestone itself is the first step with the new rate. After the last one the rate stays.
///
///     const hone::milestones<3> schedule{.peak = 0.1, .factor = 0.1, .at = {30, 60, 80}};
///     optimiser.rate = schedule.rate(epoch);
///
/// Throws hone::invalid_argument where peak is not finite, factor is not finite and above 0, a milestone is not
/// above the one before (the first: above 0) or step < 0.
/// Source: Goyal et al., Accurate, Large Minibatch SGD, 2017, arXiv 1706.02677, section 5.1 (30, 60, 80).
template <std::size_t N>
struct milestones {
  real peak = 0;       ///< the rate before the first milestone
  real factor = 0.1;   ///< what every milestone multiplies by, above 0
  integer at[N] = {};  ///< ascending; all have to be given

  HONE_HD double rate(integer step) const {
    detail::require_rate("milestones", "peak", peak);
    detail::require_factor("milestones", "factor", factor);
    detail::require_step("milestones", step);
    std::int64_t before = 0, passed = 0;
    for (std::size_t i = 0; i < N; ++i) {
      detail::require_ascending("milestones", "milestone", i, at[i], before);
      before = at[i];
      passed += step >= before;
    }
    return peak * std::pow(factor, static_cast<double>(passed));
  }
};
static_assert(schedule<milestones<1>>);

}  // namespace hone
