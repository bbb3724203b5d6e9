// SPDX-License-Identifier: MIT
/// Keras's cosine with a warm-up, its restarts above a floor, and its staircase that changes one step later.
#pragma once

#include <hone/schedule/cosine.hpp>
#include <hone/schedule/cosine_restarts.hpp>
#include <hone/schedule/warmup.hpp>

#include <cmath>
#include <cstddef>
#include <cstdint>

#include <hone/core/macros_push.hpp>

namespace hone::inline HONE_ABI::parity {

struct keras_cosine_decay_options {
  real initial_learning_rate = 0;
  integer decay_steps = 0;  ///< required; without the warm-up
  real alpha = 0;           ///< the floor as a fraction of the rate at which the decay starts
  optional_real warmup_target = {};
  integer warmup_steps = 0;  ///< used only with a warmup_target
};

/// CosineDecay of Keras: hone::warmup of a hone::cosine whose floor is alpha times the peak.
///
///     const auto schedule = hone::parity::keras_cosine_decay(
///         {.initial_learning_rate = 0, .decay_steps = 900, .warmup_target = 0.1, .warmup_steps = 100});
inline auto keras_cosine_decay(keras_cosine_decay_options o) {
  const real peak = o.warmup_target.has_value ? o.warmup_target.value : o.initial_learning_rate.value;
  return warmup(cosine{.peak = peak, .floor = o.alpha * peak, .total = o.decay_steps},
                {.start = o.initial_learning_rate, .steps = o.warmup_target.has_value ? o.warmup_steps : integer(0)});
}

/// CosineDecayRestarts of Keras, with its names.
///   initial_learning_rate ((1 - alpha) m_mul^i ½ (1 + cos(π x / length)) + alpha)
/// m_mul multiplies the part above the floor; in hone::cosine_restarts, decay multiplies the peak.
struct keras_cosine_restarts {
  real initial_learning_rate = 0;
  integer first_decay_steps = 0;  ///< required
  real t_mul = 2, m_mul = 1;
  real alpha = 0;

  HONE_HD double rate(integer step) const {
    detail::require_rate("keras_cosine_restarts", "initial_learning_rate", initial_learning_rate);
    detail::require_rate("keras_cosine_restarts", "alpha", alpha);
    const cosine_restarts unit{.peak = 1, .period = first_decay_steps, .factor = t_mul, .decay = m_mul};
    return initial_learning_rate * detail::lerp(alpha, 1.0, unit.rate(step));
  }
};
static_assert(schedule<keras_cosine_restarts>);

/// PiecewiseConstantDecay of Keras: a boundary is the last step of its value; in hone::milestones and hone::sequence it
/// is the first step of the next value.
///   values[number of boundaries < t]
template <std::size_t N>
struct keras_piecewise_constant {
  integer boundaries[N] = {};
  real values[N + 1] = {};

  HONE_HD double rate(integer step) const {
    detail::require_step("keras_piecewise_constant", step);
    std::size_t passed = 0;
    for (std::size_t i = 0; i < N; ++i) {
      if (i > 0) detail::require_ascending("keras_piecewise_constant", "boundary", i, boundaries[i], boundaries[i - 1]);
      passed += step > boundaries[i];
    }
    for (const double value : values) detail::require_rate("keras_piecewise_constant", "a value", value);
    return values[passed];
  }
};
static_assert(schedule<keras_piecewise_constant<1>>);

}  // namespace hone::inline HONE_ABI::parity

#include <hone/core/macros_pop.hpp>
