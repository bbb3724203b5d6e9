// SPDX-License-Identifier: MIT
/// The exponential moving average.
#pragma once

#include <hone/average/averaging.hpp>
#include <hone/average/ramp.hpp>

#include <hone/core/macros_push.hpp>

namespace hone::inline HONE_ABI {

/// Exponential moving average: s becomes d s + (1 - d) p; d is the decay of the ramp at this update, at least
/// `least_decay`. Update n counts from 1. The first `update_after` updates copy the parameters, then the ramp begins.
/// After every `cycle` updates the average and the ramp start anew, like a new state of the current parameters, so that
/// the shadow after `cycle` updates is the average of one full cycle.
///
///     const hone::ema average{.decay = 0.9999, .ramp = hone::exponential_ramp(2000)};
///     hone::update(cpu, average, shadow, parameters);
///
/// Throws hone::invalid_argument if decay is outside [0, 1], least_decay outside [0, decay], update_after or cycle
/// is negative, or n < 1. Source: Polyak and Juditsky 1992; Tarvainen and Valpola, Mean teachers, 2017, arXiv
/// 1703.01780.
struct ema {
  real decay = 0.9999;       ///< in [0, 1]
  decay_ramp ramp = {};      ///< default: none, every update uses `decay`
  integer update_after = 0;  ///< updates that copy before the average begins
  integer cycle = 0;         ///< updates between two restarts; 0: no restart
  real least_decay = 0;      ///< in [0, decay]: lower limit of the ramp's decay

  /// Returns d of update n; 0 if the update copies. Throws as described above.
  HONE_HD double decay_at(integer n) const {
    require_valid(n);
    if (n <= update_after) return 0;
    const double d = ramp.at(decay, place(n));
    return d < least_decay ? least_decay.value : d;
  }

  HONE_HD average_step at(integer n) const {
    const double weight = 1 - decay_at(n);
    return {weight, cycle > 0 && n > update_after && n - update_after > cycle && place(n) == 1};
  }

 private:
  /// Returns the position in the cycle, from 1.
  HONE_HD index place(index n) const noexcept {
    const index counted = n - update_after;
    return cycle > 0 ? (counted - 1) % cycle + 1 : counted;
  }
  HONE_HD void require_valid(index n) const {
    detail::require(decay >= 0 && decay <= 1, "ema", "decay", decay, "in [0, 1]");
    detail::require(least_decay >= 0 && least_decay <= decay, "ema", "least_decay", least_decay, "in [0, decay]");
    detail::require(update_after >= 0, "ema", "update_after", update_after.value, "at least 0");
    detail::require(cycle >= 0, "ema", "cycle", cycle.value, "at least 0");
    detail::require_update("ema", n);
  }
};
static_assert(averaging<ema>);

}  // namespace hone::inline HONE_ABI

#include <hone/core/macros_pop.hpp>
