// SPDX-License-Identifier: MIT
/// One training from a seed to its learning curves.
#pragma once

#include "chart.hpp"
#include "data.hpp"
#include "divergence.hpp"
#include "recipes.hpp"

namespace demo {

inline constexpr int calibration_bins = 15;

struct history {
  std::string recipe = {}, against = {}, note = {};  // of the recipe
  std::uint64_t seed = 0;
  int epochs = 0;                              // completed
  bool complete = false;                       // false: interrupted
  std::vector<point> train_loss = {};          // the recipe's own loss, mean over a tenth of an epoch
  std::vector<point> test_error = {};          // after every epoch
  double accuracy = 0, calibration_error = 0;  // on the test images, after the last completed epoch
  double seconds = 0;
};

/// What a training tells while it runs. Loss and accuracy are means over the current epoch so far.
class observer {
 public:
  virtual ~observer() = default;
  virtual void begin(const std::string& recipe, std::uint64_t seed) = 0;
  virtual void step(int epoch, hone::index images, double loss, double accuracy) = 0;
  virtual void epoch(int epoch, double loss, double accuracy, double test_accuracy) = 0;
};

/// Trains the named recipe. Same seed: same weights and same order of images, whatever the recipe.
/// Returns early, after the current step, when interrupted(). Throws divergence.
history train(const std::string& recipe_name, const dataset& data, const plan& plan, int threads, std::uint64_t seed,
              observer& observer);

}  // namespace demo
