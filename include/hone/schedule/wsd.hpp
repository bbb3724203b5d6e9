// SPDX-License-Identifier: MIT
/// Warm-up, a plateau, decay at the end.
#pragma once

#include <hone/schedule/cosine.hpp>

#include <cmath>
#include <cstdint>

#include <hone/core/macros_push.hpp>

namespace hone::inline HONE_ABI {

/// The decay of wsd from 1 to 0, for u from 0 to 1.
enum class decay_shape : unsigned char {
  root,    ///< 1 - √u
  linear,  ///< 1 - u
  cosine,  ///< ½ (1 + cos(π u))
};

/// Warm-up, stable, decay: trainings of many lengths can branch off from one plateau.
///   rate(t) = start + (peak - start) t / warmup                    for 0 <= t < warmup
///   rate(t) = peak                                                 for warmup <= t <= total - decay
///   rate(t) = floor + (peak - floor) shape((t - total + decay) / decay)  for total - decay < t < total
///   rate(t) = floor                                                for total <= t
/// `total` is the number of steps of all three phases.
///
///     const hone::wsd schedule{.start = 0, .peak = 0.1, .floor = 0, .warmup = 100, .decay = 200, .total = 1000};
///     optimiser.rate = schedule.rate(step);
///
/// Throws hone::invalid_argument if start, peak or floor is not finite, total < 1, warmup is outside
/// [0, total], decay is outside [0, total - warmup], shape is none of the three or step < 0.
/// Source: Hu et al., MiniCPM, 2024, arXiv 2404.06395, section 4; the root: Hägele et al., 2024, arXiv 2405.18392.
struct wsd {
  real start = 0;                         ///< the rate at step 0, if there is a warm-up
  real peak = 0;                          ///< the rate of the plateau
  real floor = 0;                         ///< the rate at step `total` and later
  integer warmup = 0;                     ///< steps from start to peak
  integer decay = 0;                      ///< steps from peak to floor
  integer total = 0;                      ///< all steps, at least 1; required
  decay_shape shape = decay_shape::root;  ///< the shape of the decay

  HONE_HD double rate(integer step) const {
    detail::require_rate("wsd", "start", start);
    detail::require_rate("wsd", "peak", peak);
    detail::require_rate("wsd", "floor", floor);
    detail::require_count("wsd", "total", total);
    detail::require(warmup >= 0 && warmup <= total, "wsd", "warmup", warmup.value, "in [0, total]");
    detail::require(decay >= 0 && decay <= total - warmup, "wsd", "decay", decay.value, "in [0, total - warmup]");
    detail::require(shape <= decay_shape::cosine && shape >= decay_shape::root, "wsd", "shape",
                    static_cast<std::int64_t>(shape), "root, linear or cosine");
    detail::require_step("wsd", step);
    if (step >= total) return floor;
    if (step < warmup) return detail::lerp(start, peak, static_cast<double>(step) / static_cast<double>(warmup));
    if (step <= total - decay) return peak;
    const double left = static_cast<double>(total - step) / static_cast<double>(decay);
    if (shape == decay_shape::cosine) return detail::cosine_with(left, peak, floor);
    // 1 - √u = (1 - u) / (1 + √u): nothing cancels near the floor
    return detail::lerp(floor, peak, shape == decay_shape::linear ? left : left / (1 + std::sqrt(1 - left)));
  }
};
static_assert(schedule<wsd>);

}  // namespace hone::inline HONE_ABI

#include <hone/core/macros_pop.hpp>
