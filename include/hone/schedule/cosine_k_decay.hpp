// SPDX-License-Identifier: MIT
/// Half a cosine that stays near the peak for longer.
#pragma once

#include <hone/schedule/cosine.hpp>

#include <cmath>

#include <hone/core/macros_push.hpp>

namespace hone::inline HONE_ABI {

namespace detail {

/// Returns floor + (peak - floor) · ½(1 + cos(π (x / length)^k)) for 0 <= x < length.
HONE_HD inline double half_k_cosine(double peak, double floor, double k, double x, double length) noexcept {
  if (!(x > 0)) return peak;
  const double left = (length - x) / length;
  return cosine_with(-std::expm1(k * std::log1p(-left)), peak, floor);  // 1 - (1 - left)^k without cancellation
}

}  // namespace detail

/// Cosine annealing with k-decay.
///   rate(t) = floor + ½ (peak - floor) (1 + cos(π (t / total)^k)) for 0 <= t <= total, floor afterwards
/// With k = 1 this is cosine; k > 1 stays near the peak for longer and falls faster in the end. Exactly `peak` at
/// step 0 and exactly `floor` from step `total` on. If peak < floor, the rate rises.
///
///     const hone::cosine_k_decay schedule{.peak = 0.1, .floor = 0, .k = 1.5, .total = 1000};
///     optimiser.rate = schedule.rate(step);
///
/// Throws hone::invalid_argument if peak or floor is not finite, k is not finite and above 0, total < 1 or
/// step < 0.
/// Source: Zhang and Li, k-decay, 2020, arXiv 2004.05909.
struct cosine_k_decay {
  real peak = 0;      ///< the rate at step 0
  real floor = 0;     ///< the rate at step `total` and later
  real k = 1;         ///< the power of t / total, above 0
  integer total = 0;  ///< steps from peak to floor, at least 1; required

  HONE_HD double rate(integer step) const {
    detail::require_rate("cosine_k_decay", "peak", peak);
    detail::require_rate("cosine_k_decay", "floor", floor);
    detail::require_factor("cosine_k_decay", "k", k);
    detail::require_count("cosine_k_decay", "total", total);
    detail::require_step("cosine_k_decay", step);
    if (step >= total) return floor;
    return detail::half_k_cosine(peak, floor, k, static_cast<double>(step), static_cast<double>(total));
  }
};
static_assert(schedule<cosine_k_decay>);

}  // namespace hone::inline HONE_ABI

#include <hone/core/macros_pop.hpp>
