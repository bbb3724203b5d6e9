// SPDX-License-Identifier: MIT
/// What is compared: recipes for one and the same training. The lines of hone are in recipes.cpp.
#pragma once

#include "network.hpp"

#include <hone/hone.hpp>

#include <functional>
#include <optional>
#include <string>
#include <vector>

namespace demo {

/// What a training step works on.
struct trainer {
  network net;
  sgd optimizer;
  hone::cpu cpu;
  matrix<float> logit_gradient;
};

struct batch {
  matrix<float> images;  // n x 784
  std::vector<int> labels;
};

/// How long the training will be, for schedules.
struct plan {
  hone::index steps;           // in all
  std::optional<double> rate;  // in place of the recipe's own
};

struct recipe {
  std::string name, summary;
  std::function<double(hone::index step)> rate;                         // the report draws it
  std::function<double(trainer& t, const batch& b, double rate)> step;  // one step; returns its loss
};

/// All recipes, the baseline first. Made anew for every training, so that a recipe may hold state.
std::vector<recipe> all_recipes(const plan& plan);

}  // namespace demo
