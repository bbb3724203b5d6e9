// SPDX-License-Identifier: MIT
/// Half a cosine from the peak down to the floor.
#pragma once

#include <hone/schedule/schedule.hpp>

#include <cmath>
#include <cstdint>
#include <numbers>

#include <hone/core/macros_push.hpp>

namespace hone::inline HONE_ABI {

namespace detail {

/// Returns floor + (peak - floor) · ½(1 - cos(π left)) for the remaining fraction `left`, in [0, 1]. ½(1 - cos) is
/// computed as a squared sine: nothing cancels near the floor, and both ends are exact.
HONE_HD inline double cosine_with(double left, double peak, double floor) noexcept {
  const double s = std::sin(std::numbers::pi / 2 * left);
  return detail::lerp(floor, peak, s * s);
}

/// Returns floor + (peak - floor) · ½(1 + cos(π x / length)) for 0 <= x <= length.
HONE_HD inline double half_cosine(double peak, double floor, double x, double length) noexcept {
  return cosine_with((length - x) / length, peak, floor);
}

}  // namespace detail

/// Cosine annealing without restarts.
///   rate(t) = floor + ½ (peak - floor) (1 + cos(π t / total)) for 0 <= t <= total, floor afterwards
/// Exactly `peak` at step 0 and exactly `floor` from step `total` on. If peak < floor, the rate rises.
///
///     const hone::cosine schedule{.peak = 0.1, .floor = 0, .total = 1000};
///     optimiser.rate = schedule.rate(step);
///
/// Throws hone::invalid_argument if peak or floor is not finite, total < 1 or step < 0.
/// Source: Loshchilov and Hutter, SGDR, 2017, arXiv 1608.03983, equation 5.
struct cosine {
  real peak = 0;      ///< the rate at step 0
  real floor = 0;     ///< the rate at step `total` and later
  integer total = 0;  ///< steps from peak to floor, at least 1; required

  HONE_HD double rate(integer step) const {
    detail::require_rate("cosine", "peak", peak);
    detail::require_rate("cosine", "floor", floor);
    detail::require_count("cosine", "total", total);
    detail::require_step("cosine", step);
    if (step >= total) return floor;
    return detail::half_cosine(peak, floor, static_cast<double>(step), static_cast<double>(total));
  }
};
static_assert(schedule<cosine>);

}  // namespace hone::inline HONE_ABI

#include <hone/core/macros_pop.hpp>
