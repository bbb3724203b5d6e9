// SPDX-License-Identifier: MIT
/// Half a cosine per cycle; each cycle may be longer or shorter than the one before.
#pragma once

#include <hone/schedule/cosine.hpp>

#include <cmath>
#include <cstdint>

#include <hone/core/macros_push.hpp>

namespace hone::inline HONE_ABI {

namespace detail {

struct cycle {
  double number, step, length;  // cycle `number` has `length` steps; this is its step `step`
};

/// Returns the cycle of a step for an integer factor >= 1. Uses integers throughout, so that every restart is exact.
HONE_HD inline cycle find_cycle(std::int64_t step, std::int64_t period, double factor) noexcept {
  std::int64_t length = period, number = 0;
  if (factor == 1) number = step / period, step %= period;
  for (; step >= length; ++number) {
    step -= length;
    if (!(factor < 0x1p62) || length > last_step / static_cast<std::int64_t>(factor))
      return {static_cast<double>(number + 1), static_cast<double>(step), static_cast<double>(length) * factor};
    length *= static_cast<std::int64_t>(factor);
  }
  return {static_cast<double>(number), static_cast<double>(step), static_cast<double>(length)};
}

/// The same for any factor but 1; if factor < 1, the step must be before the end of all cycles. A restart need not fall
/// on an integer step; a step that is before it by at most `slack`, which covers the rounding of the factor and of this
/// arithmetic, counts as the restart.
HONE_HD inline cycle find_real_cycle(double step, double period, double factor) noexcept {
  const double slack = 1e-12 * step, growth = std::log(factor);
  const auto begin = [&](double i) { return period * (std::expm1(i * growth) / (factor - 1)); };
  double i = std::floor(std::log1p(step / period * (factor - 1)) / growth);
  if (begin(i + 1) <= step + slack) ++i;
  return {i, step - begin(i), period * std::exp(i * growth)};
}

/// Returns whether all cycles have ended: those that shrink end at step period / (1 - factor).
HONE_HD inline bool cycles_have_ended(std::int64_t step, std::int64_t period, double factor) noexcept {
  return factor < 1 && static_cast<double>(step) / static_cast<double>(period) * (1 - factor) >= 1 - 2e-12;
}

/// Returns the cycle of a step before the end of all cycles.
HONE_HD inline cycle cycle_at(std::int64_t step, std::int64_t period, double factor) noexcept {
  if (factor == std::floor(factor)) return find_cycle(step, period, factor);
  return find_real_cycle(static_cast<double>(step), static_cast<double>(period), factor);
}

}  // namespace detail

/// Cosine annealing with warm restarts.
///   cycle i has period · factor^i steps; at its step x:
///   rate = floor + ½ (peak · decay^i - floor) (1 + cos(π x / length))
/// If cycles have integer lengths, the floor is approached and never reached: the step that would reach it is the first
/// of the next cycle, at peak · decay^i exactly. Cycles rise if peak · decay^i is below the floor. With factor < 1 all
/// cycles together end at step period / (1 - factor); the rate is the floor from there on.
///
///     const hone::cosine_restarts schedule{.peak = 0.1, .floor = 0, .period = 100, .factor = 2, .decay = 1};
///     optimiser.rate = schedule.rate(step);
///
/// Throws hone::invalid_argument if peak or floor is not finite, period < 1, factor or decay is not finite
/// and above 0, or step < 0.
/// Source: Loshchilov and Hutter, SGDR, 2017, arXiv 1608.03983; `decay` as cycle_decay in timm.
struct cosine_restarts {
  real peak = 0;       ///< the rate at step 0
  real floor = 0;      ///< the rate that every cycle falls to
  integer period = 0;  ///< steps of the first cycle, at least 1; required
  real factor = 1;     ///< length of a cycle / length of the one before, above 0; need not be an integer
  real decay = 1;      ///< peak of a cycle / peak of the one before, above 0

  HONE_HD double rate(integer step) const {
    detail::require_rate("cosine_restarts", "peak", peak);
    detail::require_rate("cosine_restarts", "floor", floor);
    detail::require_count("cosine_restarts", "period", period);
    detail::require_factor("cosine_restarts", "factor", factor);
    detail::require_factor("cosine_restarts", "decay", decay);
    detail::require_step("cosine_restarts", step);
    if (detail::cycles_have_ended(step, period, factor)) return floor;
    const detail::cycle c = detail::cycle_at(step, period, factor);
    return detail::half_cosine(peak * std::pow(decay, c.number), floor, c.step, c.length);
  }
};
static_assert(schedule<cosine_restarts>);

}  // namespace hone::inline HONE_ABI

#include <hone/core/macros_pop.hpp>
