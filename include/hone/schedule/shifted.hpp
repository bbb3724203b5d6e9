// SPDX-License-Identifier: MIT
/// A schedule without its first steps.
#pragma once

#include <hone/schedule/constant.hpp>

#include <cstdint>

#include <hone/core/macros_push.hpp>

namespace hone::inline HONE_ABI {

template <schedule S>
struct shifted_schedule {
  S base = {};
  integer by = 0;

  HONE_HD double rate(integer step) const {
    detail::require(by >= 0, "shifted", "by", by.value, "at least 0");
    detail::require_step("shifted", step);
    constexpr std::int64_t last = detail::last_step;
    return base.rate(step > last - by ? last : step + by);
  }
};

/// Skips the first `by` steps of a schedule.
///   rate(t) = schedule.rate(t + by)
/// by = 1 makes a warm-up that starts at 1/steps instead of 0. In a sequence, by = the number of steps before a part
/// makes it count from the start of the sequence: timm's warm-up is
///     hone::sequence(hone::warmup(hone::constant{.value = peak}, {.steps = 5}), 5, hone::shifted(cosine, 5)).
///
/// `rate` throws hone::invalid_argument if by < 0, step < 0 or the schedule throws.
template <class S>
constexpr auto shifted(S base, integer by) {
  static_assert(schedule<S>, "shifted: the first argument must be a schedule, with a double rate(hone::integer) const");
  return shifted_schedule<S>{base, by};
}
static_assert(schedule<shifted_schedule<constant>>);

}  // namespace hone::inline HONE_ABI

#include <hone/core/macros_pop.hpp>
