// SPDX-License-Identifier: MIT
/// One training from a seed to its learning curves.
#pragma once

#include "chart.hpp"
#include "divergence.hpp"
#include "iou.hpp"
#include "recipes.hpp"
#include "training_observer.hpp"

namespace segmentation {

using demo::divergence;
using demo::point;
using observer = demo::training_observer<score>;

struct plan {
  int epochs, batch;
  double rate;  // at the peak
};

struct history {
  std::string recipe = {};
  std::uint64_t seed = 0;
  int epochs = 0;                 // completed
  bool complete = false;          // false: interrupted
  std::vector<point> loss = {};   // means over a tenth of an epoch
  std::vector<point> curve = {};  // mean IoU of the averaged weights, after every epoch
  score result = {};              // after the last completed epoch
  double seconds = 0;
  std::vector<std::vector<std::uint8_t>> found = {};  // labels of the first test canvases, for pictures
};

/// How many canvases `found` has at most.
inline constexpr std::size_t most_found = 48;

/// Same seed: same weights and same order of canvases, whatever the recipe. Returns early, after the current step, when
/// demo::interrupted(). Throws divergence.
history train(const recipe& recipe, const canvas_set& canvases, const plan& plan, int threads, std::uint64_t seed,
              observer& progress);

}  // namespace segmentation
