// SPDX-License-Identifier: MIT
/// optax's cosine with an exponent, and its one-cycle schedules with fractions.
#pragma once

#include <hone/schedule/cosine.hpp>
#include <hone/schedule/one_cycle.hpp>
#include <hone/schedule/polynomial.hpp>
#include <hone/schedule/sequence.hpp>
#include <hone/schedule/warmup.hpp>

#include <cmath>
#include <cstdint>

#include <hone/core/macros_push.hpp>

namespace hone::inline HONE_ABI::detail {

/// Returns ⌊fraction · steps⌋, like int() in Python. Throws hone::invalid_argument if fraction is not in [0, 1].
inline std::int64_t steps_of(const char* function, const char* parameter, double fraction, std::int64_t steps) {
  require(fraction >= 0 && fraction <= 1, function, parameter, fraction, "in [0, 1]");
  return static_cast<std::int64_t>(fraction * static_cast<double>(steps));
}

}  // namespace hone::inline HONE_ABI::detail

namespace hone::inline HONE_ABI::parity {

/// cosine_decay_schedule of optax, with its names.
///   init_value ((1 - alpha) (½ (1 + cos(π t / decay_steps)))^exponent + alpha), afterwards the value at decay_steps
/// With exponent 1 this is hone::cosine with the floor alpha · init_value.
///
/// Throws hone::invalid_argument if init_value or alpha is not finite, decay_steps < 1, exponent is not finite and
/// above 0, or step < 0.
struct optax_cosine_decay {
  real init_value = 0;
  integer decay_steps = 0;  ///< required
  real alpha = 0;
  real exponent = 1;

  HONE_HD double rate(integer step) const {
    detail::require_rate("optax_cosine_decay", "init_value", init_value);
    detail::require_rate("optax_cosine_decay", "alpha", alpha);
    detail::require_factor("optax_cosine_decay", "exponent", exponent);
    const double left = cosine{.peak = 1, .total = decay_steps}.rate(step);
    return detail::lerp(alpha * init_value, init_value, std::pow(left, exponent));
  }
};
static_assert(schedule<optax_cosine_decay>);

struct optax_warmup_cosine_options {
  real init_value = 0, peak_value = 0;
  integer warmup_steps = 0, decay_steps = 0;  ///< decay_steps includes the warm-up
  real end_value = 0, exponent = 1;
};

/// warmup_cosine_decay_schedule of optax. With exponent 1 this is hone::warmup_cosine.
inline auto optax_warmup_cosine(optax_warmup_cosine_options o) {
  const double alpha = o.peak_value == 0 ? 0 : o.end_value / o.peak_value;
  return warmup(optax_cosine_decay{o.peak_value, o.decay_steps - o.warmup_steps, alpha, o.exponent},
                {.start = o.init_value, .steps = o.warmup_steps});
}

struct optax_onecycle_options {
  integer transition_steps = 0;  ///< required
  real peak_value = 0;
  real pct_start = 0.3, pct_final = 0.85;  ///< in [0, 1]; pct_final is for the linear form only
  real div_factor = 25, final_div_factor = 1e4;
};

/// cosine_onecycle_schedule of optax: hone::one_cycle with optax's lengths and divisors.
inline one_cycle optax_cosine_onecycle(optax_onecycle_options o) {
  const double first = o.peak_value / o.div_factor;
  return {.start = first,
          .peak = o.peak_value,
          .floor = first / o.final_div_factor,
          .rise = detail::steps_of("optax_cosine_onecycle", "pct_start", o.pct_start, o.transition_steps),
          .total = o.transition_steps};
}

/// linear_onecycle_schedule of optax: lines up to the peak, down to the first rate at pct_final, and to the last rate.
inline auto optax_linear_onecycle(optax_onecycle_options o) {
  const double first = o.peak_value / o.div_factor, last = first / o.final_div_factor;
  const std::int64_t top = detail::steps_of("optax_linear_onecycle", "pct_start", o.pct_start, o.transition_steps);
  const std::int64_t back = detail::steps_of("optax_linear_onecycle", "pct_final", o.pct_final, o.transition_steps);
  return sequence(polynomial{.peak = first, .floor = o.peak_value, .total = top}, top,
                  polynomial{.peak = o.peak_value, .floor = first, .total = back - top}, back - top,
                  polynomial{.peak = back < o.transition_steps ? first : last,
                             .floor = last,
                             .total = back < o.transition_steps ? o.transition_steps - back : 1});
}

}  // namespace hone::inline HONE_ABI::parity

#include <hone/core/macros_pop.hpp>
