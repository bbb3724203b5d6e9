// SPDX-License-Identifier: MIT
/// Schedules: one of hone's, with a warm-up before those that have none.
#pragma once

#include <hone.h>
#include <hone/c/status.hpp>
#include <hone/schedule/constant.hpp>
#include <hone/schedule/cosine.hpp>
#include <hone/schedule/cosine_restarts.hpp>
#include <hone/schedule/exponential.hpp>
#include <hone/schedule/inverse_square_root.hpp>
#include <hone/schedule/milestones.hpp>
#include <hone/schedule/one_cycle.hpp>
#include <hone/schedule/polynomial.hpp>
#include <hone/schedule/step_decay.hpp>
#include <hone/schedule/warmup.hpp>
#include <hone/schedule/warmup_cosine.hpp>
#include <hone/schedule/wsd.hpp>

#include <span>

#include <hone/core/macros_push.hpp>

struct hone_schedule {
  hone_schedule_options options;
  hone::milestones<> staircase;
};

namespace hone::inline HONE_ABI::c {

inline double rate_of(hone_schedule const& of, std::int64_t step) {
  hone_schedule_options const& o = of.options;
  const auto warmed = [&](auto const& base) {
    if (o.warmup == 0) return base.rate(step);
    return warmup(base, {.start = o.start, .steps = o.warmup}).rate(step);
  };
  switch (o.kind) {
    case HONE_COSINE:
      return warmed(cosine{.peak = o.peak, .floor = o.floor, .total = o.total});
    case HONE_WARMUP_COSINE:
      return warmup_cosine{.start = o.start, .peak = o.peak, .floor = o.floor, .warmup = o.warmup, .total = o.total}
          .rate(step);
    case HONE_ONE_CYCLE:
      return one_cycle{.start = o.start, .peak = o.peak, .floor = o.floor, .rise = o.warmup, .total = o.total}.rate(
          step);
    case HONE_STEP_DECAY:
      return warmed(step_decay{.peak = o.peak, .floor = o.floor, .factor = o.factor, .period = o.period});
    case HONE_MILESTONES:
      return warmed(of.staircase);
    case HONE_POLYNOMIAL:
      return warmed(polynomial{.peak = o.peak, .floor = o.floor, .power = o.power, .total = o.total});
    case HONE_EXPONENTIAL:
      return warmed(exponential{.peak = o.peak, .floor = o.floor, .factor = o.factor, .period = o.period});
    case HONE_WSD:
      return wsd{.start = o.start,
                 .peak = o.peak,
                 .floor = o.floor,
                 .warmup = o.warmup,
                 .decay = o.decay,
                 .total = o.total,
                 .shape = static_cast<decay_shape>(o.shape)}
          .rate(step);
    case HONE_INVERSE_SQUARE_ROOT:
      return inverse_square_root{.start = o.start, .peak = o.peak, .warmup = o.warmup}.rate(step);
    case HONE_COSINE_RESTARTS:
      return warmed(cosine_restarts{
          .peak = o.peak, .floor = o.floor, .period = o.period, .factor = o.factor, .decay = o.decay_of_peak});
    default:
      return warmed(constant{.value = o.peak});
  }
}

inline hone_schedule* new_schedule(hone_schedule_options const& o) {
  require_kind("kind", o.kind, HONE_COSINE_RESTARTS);
  require_kind("shape", o.shape, HONE_SHAPE_COSINE);
  require(o.warmup >= 0, "warmup", static_cast<double>(o.warmup), "at least 0");
  if (o.milestone_count < 0 || (o.milestone_count > 0 && !o.milestones))
    detail::fail("milestone_count is %jd%s", std::intmax_t(o.milestone_count),
                 o.milestones ? "" : ", milestones is NULL");
  if (o.milestone_count > 64)
    detail::fail("milestone_count is %jd, must be at most 64", std::intmax_t(o.milestone_count));
  hone_schedule made{o, {.peak = o.peak, .factor = o.factor}};
  made.staircase.at = std::span(o.milestones, static_cast<std::size_t>(o.milestone_count));
  made.options.milestones = nullptr;
  rate_of(made, 0);         // checks what the kind reads
  rate_of(made, o.warmup);  // the schedule after a warm-up
  return new hone_schedule(made);
}

}  // namespace hone::inline HONE_ABI::c

#include <hone/core/macros_pop.hpp>
