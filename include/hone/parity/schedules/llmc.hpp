// SPDX-License-Identifier: MIT
/// llm.c's schedules: the warm-up starts at 1/warmup of the peak and reaches it one step early.
#pragma once

#include <hone/schedule/constant.hpp>
#include <hone/schedule/cosine.hpp>
#include <hone/schedule/polynomial.hpp>
#include <hone/schedule/sequence.hpp>
#include <hone/schedule/shifted.hpp>
#include <hone/schedule/warmup.hpp>
#include <hone/schedule/wsd.hpp>

#include <cstdint>

#include <hone/core/macros_push.hpp>

namespace hone::inline HONE_ABI::parity {

struct llmc_options {
  real learning_rate = 0;
  integer warmup_iterations = 0;
  integer train_num_batches = 0;  ///< required; includes the warm-up
  real final_learning_rate_frac = 0;
};

}  // namespace hone::inline HONE_ABI::parity

namespace hone::inline HONE_ABI::detail {

/// Returns learning_rate (t + 1) / warmup_iterations for 0 <= t < warmup_iterations, then the schedule from its step 0:
/// the last step of the warm-up and the first step after it both have the peak rate.
template <schedule S>
constexpr auto llmc_warmed(parity::llmc_options const& o, S then) {
  const auto rise = warmup(constant{o.learning_rate}, {.steps = o.warmup_iterations});
  return sequence(shifted(rise, 1), o.warmup_iterations, then);
}
/// Decays by cosine or polynomial from the peak to train_num_batches; with warm-up steps only, it stays at the peak.
template <schedule S>
constexpr auto llmc_decayed(parity::llmc_options const& o, S decay) {
  decay.peak = o.learning_rate, decay.floor = o.learning_rate * o.final_learning_rate_frac;
  decay.total = o.train_num_batches - o.warmup_iterations;
  if (decay.total == 0 && o.warmup_iterations > 0) decay.floor = decay.peak, decay.total = 1;
  return llmc_warmed(o, decay);
}

}  // namespace hone::inline HONE_ABI::detail

namespace hone::inline HONE_ABI::parity {

/// "cosine" of llm.c: half a cosine from the warm-up to train_num_batches.
inline auto llmc_cosine(llmc_options o) { return detail::llmc_decayed(o, cosine{}); }

/// "linear" of llm.c: a straight line from the warm-up to train_num_batches.
inline auto llmc_linear(llmc_options o) { return detail::llmc_decayed(o, polynomial{}); }

/// "wsd" of llm.c: the last fifth of the steps decays by 1 - √u, except for steps that belong to the warm-up.
inline auto llmc_wsd(llmc_options o) {
  const auto begin = static_cast<std::int64_t>(0.8f * static_cast<float>(o.train_num_batches));  // in float, as llm.c
  return detail::llmc_warmed(o, shifted(wsd{.peak = o.learning_rate,
                                            .floor = o.learning_rate * o.final_learning_rate_frac,
                                            .decay = o.train_num_batches - begin,
                                            .total = o.train_num_batches},
                                        o.warmup_iterations));
}

}  // namespace hone::inline HONE_ABI::parity

#include <hone/core/macros_pop.hpp>
