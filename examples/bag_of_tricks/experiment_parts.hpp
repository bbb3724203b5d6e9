// SPDX-License-Identifier: MIT
/// What experiments are made of.
#pragma once

#include "experiments.hpp"
#include "text.hpp"

namespace ladder {

inline constexpr double clear = 0.05;  // of p

inline constexpr tricks plain = {.schedule = true}, smoothed = {.schedule = true, .smoothing = true},
                        mixed = {.schedule = true, .mixup = true};

/// A rung of the ladder, for as many epochs.
inline with_seed residual(const plan& plan, const tricks& with, int epochs) {
  return [=](std::uint64_t seed) {
    training t = make_training(plan, "residual", with, seed);
    t.epochs = epochs;
    return t;
  };
}

/// All seeds of all parts.
inline std::vector<training> all_of(const plan& plan, const std::vector<with_seed>& parts) {
  std::vector<training> all;
  for (const with_seed& part : parts)
    for (const training& t : seeds_of(plan, part)) all.push_back(t);
  return all;
}

inline double mean(const std::vector<double>& numbers) { return demo::spread_of(numbers).mean; }

/// "-0.31 points (p 0.012, lower in 5 of 5)"
inline std::string told(const paired_test& t) {
  return demo::format("%+.2f points (p %.2g, lower in %d of %d)", 100 * t.mean, t.p, t.lower, t.pairs);
}

experiment smoothed_teacher();
experiment soft_targets();
experiment missing_in_transfer();
experiment mixup_epochs();
experiment calibration();
experiment structures();

}  // namespace ladder
