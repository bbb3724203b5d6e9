// SPDX-License-Identifier: MIT
/// Keras's cosine with a warm-up, its restarts over a floor, and its staircase that moves one step late.
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
  integer decay_steps = 0;  ///< has to be given; does not count the warm-up
  real alpha = 0;           ///< the floor over the rate that the decay starts from
  optional_real warmup_target = {};
  integer warmup_steps = 0;  ///< counts only with a warmup_target
};

/// CosineDecay of Keras: hone::warmup of a hone::cosine, the floor a fraction of the rate at which the cosine begins.
///
///     const auto schedule = hone::parity::keras_cosine_decay(
///         {.initial_learning_rate = 0, .decay_steps = 900, .warmup_target = 0.1, .warmup_steps = 100});
inline auto keras_cosine_decay(keras_cosine_decay_options o) {
  const real peak = o.warmup_target.given ? o.warmup_target.value : o.initial_learning_rate.value;
  return warmup(cosine{.peak = peak, .floor = o.alpha * peak, .total = o.decay_steps},
                {.start = o.initial_learning_rate, .steps = o.warmup_target.given ? o.warmup_steps : integer(0)});
}

/// CosineDecayRestarts of Keras, by its names.
///   initial_learning_rate ((1 - alpha) m_mul^i ½ (1 + cos(π x / length)) + alpha)
/// m_mul shrinks what is above the floor; in hone::cosine_restarts it shrinks the peak.
struct keras_cosine_restarts {
  real initial_learning_rate = 0;
  integer first_decay_steps = 0;  ///< has to be given
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

/// PiecewiseConstantDecay of Keras: a boundary is the last step of its value; in hone::milestones and
/// hone::sequence it is the first step of the next one.
///   values[how many boundaries are < t]
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
