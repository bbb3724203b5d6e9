// SPDX-License-Identifier: MIT
/// Schedules in sequence.
#pragma once

#include <hone/schedule/constant.hpp>

#include <hone/core/macros_push.hpp>

namespace hone::inline HONE_ABI {

template <schedule First, schedule Next>
struct sequenced {
  First first = {};
  integer steps = 0;
  Next next = {};

  HONE_HD double rate(integer step) const {
    detail::require(steps >= 0, "sequence", "steps", steps.value, "at least 0");
    detail::require_step("sequence", step);
    if (step >= steps) return next.rate(step - steps);
    next.rate(0);  // throws if a later part is out of range
    return first.rate(step);
  }
};

/// Ends a sequence: the last schedule has no number of steps.
template <class Last>
constexpr auto sequence(Last last) {
  static_assert(schedule<Last>, "sequence: schedules and their steps in turn, the last without steps");
  return last;
}

/// Runs `first` for `steps` steps, then the next schedule from its step 0, and so on; the last one has no end.
///   rate(t) = first.rate(t) for 0 <= t < steps, next.rate(t - steps) afterwards
/// `steps` is the first step of the next part. A part with 0 steps is skipped.
///
///     const hone::constant high{.value = 0.1}, low{.value = 0.001};
///     const auto schedule = hone::sequence(high, 300, hone::cosine{.peak = 0.1, .floor = 0.001, .total = 600}, 600,
///     low); optimiser.rate = schedule.rate(step);
///
/// `rate` throws hone::invalid_argument if steps < 0, step < 0, the current part throws, or a later part throws at its
/// step 0, so that a mistake in the last part is reported at the first step.
template <class First, class... Tail>
  requires(sizeof...(Tail) > 0)
constexpr auto sequence(First first, integer steps, Tail... tail) {
  static_assert(schedule<First>, "sequence: schedules and their steps in turn, the last without steps");
  return sequenced<First, decltype(sequence(tail...))>{first, steps, sequence(tail...)};
}
static_assert(schedule<sequenced<constant, constant>>);

}  // namespace hone::inline HONE_ABI

#include <hone/core/macros_pop.hpp>
