// SPDX-License-Identifier: MIT
/// YOLOv5's weights of losses and levels (its utils/loss.py and train.py).
#pragma once

#include <hone/core/error.hpp>
#include <hone/core/number.hpp>

#include <span>
#include <vector>

#include <hone/core/macros_push.hpp>

namespace hone::inline HONE_ABI::yolov5 {

/// Returns the factors of the mean objectness loss per level, finest level first: 4, 1, 0.4 for three levels, else the
/// first ones of 4, 1, 0.25, 0.06, 0.02. Throws hone::invalid_argument if levels is not in [1, 5].
HONE_IF_CALLED
std::vector<double> level_balance(integer levels) {
  detail::require(levels >= 1 && levels <= 5, "yolov5::level_balance", "levels", levels.value, "in [1, 5]");
  if (levels == 3) return {4, 1, 0.4};
  std::vector<double> balance{4, 1, 0.25, 0.06, 0.02};
  balance.resize(static_cast<std::size_t>(levels.value));
  return balance;
}

struct autobalance_options {
  real decay = 0.9999;  ///< in [0, 1]
};

/// Call it after a step: moves each level's balance towards the inverse of its objectness loss (before balancing), then
/// divides all by the balance of level `reference`, that with stride 16. Throws if an argument is out of range.
///   b ← decay · b + (1 - decay) / loss
HONE_IF_CALLED
void autobalance(std::span<double> balance, std::span<const double> losses, integer reference,
                 autobalance_options options = {}) {
  const char* const function = "yolov5::autobalance";
  const double decay = options.decay;
  const auto levels = static_cast<index>(balance.size());
  if (losses.size() != balance.size())
    detail::fail("%s: %zu losses for %zu levels", function, losses.size(), balance.size());
  if (reference < 0 || reference >= levels)
    detail::fail("%s: reference is %jd, must be in [0, %jd)", function, std::intmax_t(reference),
                 std::intmax_t(levels));
  detail::require(decay >= 0 && decay <= 1, function, "decay", decay, "in [0, 1]");
  for (std::size_t i = 0; i < balance.size(); ++i) {
    if (!(balance[i] > 0 && detail::finite(balance[i])))
      detail::fail("%s: balance of level %zu is %.9g, must be finite and positive", function, i, balance[i]);
    if (!(losses[i] > 0 && detail::finite(losses[i])))
      detail::fail("%s: loss of level %zu is %.9g, must be finite and positive", function, i, losses[i]);
  }
  for (std::size_t i = 0; i < balance.size(); ++i) balance[i] = decay * balance[i] + (1 - decay) / losses[i];
  const double by = balance[static_cast<std::size_t>(reference)];
  for (double& b : balance) b /= by;
}

/// The factors of the three losses.
struct gains {
  real box = 0.05, objectness = 1, classes = 0.5;
};

/// Returns the gains for a head of another size; the defaults are for three levels, 80 classes and 640 pixels:
///   box · 3/levels,  objectness · (pixels/640)² · 3/levels,  classes · K/80 · 3/levels
inline gains scaled(gains from, integer levels, integer classes, integer pixels) {
  const char* const function = "yolov5::scaled";
  detail::require(levels >= 1, function, "levels", levels.value, "at least 1");
  detail::require(classes >= 1, function, "classes", classes.value, "at least 1");
  detail::require(pixels >= 1, function, "pixels", pixels.value, "at least 1");
  const double per_level = 3 / static_cast<double>(levels), side = static_cast<double>(pixels) / 640;
  return {from.box * per_level, from.objectness * side * side * per_level,
          from.classes * static_cast<double>(classes) / 80 * per_level};
}

}  // namespace hone::inline HONE_ABI::yolov5

#include <hone/core/macros_pop.hpp>
