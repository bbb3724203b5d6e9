// SPDX-License-Identifier: MIT
/// A schedule that begins in its middle.
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

/// The schedule without its first steps.
///   rate(t) = schedule.rate(t + by)
/// by = 1 makes a warm-up that starts at 1/steps and not at 0. In a sequence, by = the steps so far makes a part run
/// underneath those before it: timm's warm-up is
///     hone::sequence(hone::warmup(hone::constant{.value = peak}, {.steps = 5}), 5, hone::shifted(cosine, 5)).
///
/// `rate` throws hone::invalid_argument where by < 0, step < 0 or the schedule throws.
template <class S>
constexpr auto shifted(S base, integer by) {
  static_assert(schedule<S>, "shifted: the first argument must be a schedule, with a double rate(hone::integer) const");
  return shifted_schedule<S>{base, by};
}
static_assert(schedule<shifted_schedule<constant>>);

}  // namespace hone::inline HONE_ABI

#include <hone/core/macros_pop.hpp>
