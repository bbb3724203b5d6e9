// SPDX-License-Identifier: MIT
/// A schedule times a factor.
#pragma once

#include <hone/schedule/constant.hpp>

#include <hone/core/macros_push.hpp>

namespace hone::inline HONE_ABI {

template <schedule S>
struct scaled_schedule {
  S base = {};
  real factor = 1;

  HONE_HD double rate(integer step) const {
    detail::require_rate("scaled_by", "factor", factor);
    return factor * base.rate(step);
  }
};

/// A schedule times a factor, for a group of parameters whose rate is a multiple of the rate of the others.
///   rate(t) = factor · schedule.rate(t)
///
///     const auto head = hone::scaled_by(schedule, 10);
///
/// `rate` throws hone::invalid_argument if the factor is not finite or the schedule throws.
template <class S>
constexpr auto scaled_by(S base, real factor) {
  static_assert(schedule<S>,
                "scaled_by: the first argument must be a schedule, with a double rate(hone::integer) const");
  return scaled_schedule<S>{base, factor};
}
static_assert(schedule<scaled_schedule<constant>>);

}  // namespace hone::inline HONE_ABI

#include <hone/core/macros_pop.hpp>
