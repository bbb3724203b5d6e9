// SPDX-License-Identifier: MIT
/// One training from a seed to its learning curves.
#pragma once

#include "chart.hpp"
#include "divergence.hpp"
#include "recipes.hpp"
#include "training_observer.hpp"

namespace detection {

using demo::divergence;
using demo::point;
using observer = demo::training_observer<average_precision>;

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

/// Same seed: same weights and same order of scenes, whatever the recipe. Returns early, after the current step, when
/// demo::interrupted(). Throws divergence.
history train(const recipe& recipe, const scene_set& scenes, const plan& plan, int threads, std::uint64_t seed,
              observer& progress);

}  // namespace detection
