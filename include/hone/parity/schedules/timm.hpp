// SPDX-License-Identifier: MIT
/// timm's cosine: the cosine runs during the warm-up, and the number of cycles is limited.
#pragma once

#include <hone/schedule/cosine_k_decay.hpp>
#include <hone/schedule/cosine_restarts.hpp>

#include <cmath>
#include <cstdint>

#include <hone/core/macros_push.hpp>

namespace hone::inline HONE_ABI::parity {

/// CosineLRScheduler of timm, with its names. At step t:
///   t < warmup_t       warmup_lr_init + (lr - warmup_lr_init) t / warmup_t
///   i >= cycle_limit   lr_min
///   in cycle i at x    lr_min + ½ (lr cycle_decay^i - lr_min) (1 + cos(π (x / length)^k_decay))
/// Cycle i has the length t_initial cycle_mul^i. Cycles are counted from step 0, so that part of the cosine falls into
/// the warm-up and `lr` is never reached; with warmup_prefix, from step warmup_t, so that t_initial steps never reach
/// lr_min. hone's warmup_cosine reaches both. Restarts are exact; timm's, if cycle_mul is not 1, are a step late when
/// its logarithm rounds down. Noise: see with_noise.
///
///     const hone::parity::timm_cosine schedule{.lr = 0.001, .t_initial = 300, .lr_min = 1e-5, .warmup_t = 20};
///
/// Throws hone::invalid_argument if a rate is not finite, t_initial or cycle_limit < 1, cycle_mul, cycle_decay or
/// k_decay is not finite and above 0, warmup_t < 0, or step < 0.
struct timm_cosine {
  real lr = 0;
  integer t_initial = 0;  ///< required
  real lr_min = 0;
  real cycle_mul = 1;
  real cycle_decay = 1;
  integer cycle_limit = 1;
  integer warmup_t = 0;
  real warmup_lr_init = 0;
  bool warmup_prefix = false;
  real k_decay = 1;

  HONE_HD double rate(integer step) const {
    constexpr const char* self = "timm_cosine";
    detail::require_rate(self, "lr", lr);
    detail::require_count(self, "t_initial", t_initial);
    detail::require_rate(self, "lr_min", lr_min);
    detail::require_factor(self, "cycle_mul", cycle_mul);
    detail::require_factor(self, "cycle_decay", cycle_decay);
    detail::require_count(self, "cycle_limit", cycle_limit);
    detail::require(warmup_t >= 0, self, "warmup_t", warmup_t.value, "at least 0");
    detail::require_rate(self, "warmup_lr_init", warmup_lr_init);
    detail::require_factor(self, "k_decay", k_decay);
    detail::require_step(self, step);
    if (step < warmup_t)
      return detail::lerp(warmup_lr_init, lr, static_cast<double>(step) / static_cast<double>(warmup_t));
    const std::int64_t t = warmup_prefix ? step - warmup_t : step.value;
    if (detail::cycles_have_ended(t, t_initial, cycle_mul)) return lr_min;
    const detail::cycle c = detail::cycle_at(t, t_initial, cycle_mul);
    if (c.number >= static_cast<double>(cycle_limit)) return lr_min;
    return detail::half_k_cosine(lr * std::pow(cycle_decay, c.number), lr_min, k_decay, c.step, c.length);
  }
};
static_assert(schedule<timm_cosine>);

}  // namespace hone::inline HONE_ABI::parity

#include <hone/core/macros_pop.hpp>
