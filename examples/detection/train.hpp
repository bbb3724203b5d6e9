// SPDX-License-Identifier: MIT
/// One training from a seed to its learning curves.
#pragma once

#include "chart.hpp"
#include "recipes.hpp"

#include <stdexcept>

namespace detection {

using demo::point;

/// The loss is no longer a number.
struct divergence : std::runtime_error {
  using std::runtime_error::runtime_error;
};

struct plan {
  int epochs, batch;
  double rate;  // at the peak
};

struct history {
  std::string recipe = {};
  std::uint64_t seed = 0;
  int epochs = 0;                                     // completed
  bool complete = false;                              // false: interrupted
  std::vector<point> class_loss = {}, box_loss = {};  // means over a tenth of an epoch
  std::vector<point> precision = {};                  // AP@[.5:.95] of the averaged weights, after every epoch
  average_precision result = {};                      // after the last completed epoch
  std::vector<std::vector<detected>> found = {};      // the same, on every test scene
  double seconds = 0;
  double negatives_per_positive = 0;  // of all pairs of a cell and a class that were learnt from
};

/// What a training tells while it runs. The loss is the mean over the current epoch so far.
class observer {
 public:
  virtual ~observer() = default;
  virtual void begin(const std::string& recipe, std::uint64_t seed) = 0;
  virtual void step(int epoch, hone::index images, double loss) = 0;
  virtual void epoch(int epoch, double loss, const average_precision& ap) = 0;
};

/// Same seed: same weights and same order of scenes, whatever the recipe. Returns early, after the current step, when
/// demo::interrupted(). Throws divergence.
history train(const recipe& recipe, const scene_set& scenes, const plan& plan, int threads, std::uint64_t seed,
              observer& observer);

}  // namespace detection
