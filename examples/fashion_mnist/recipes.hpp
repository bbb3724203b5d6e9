// SPDX-License-Identifier: MIT
/// What is compared: recipes for one and the same training. The lines of hone are in recipes.cpp.
#pragma once

#include "batches.hpp"
#include "convolutional_network.hpp"
#include "sgd.hpp"

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

/// How long the trainings are, and in which steps.
struct plan {
  hone::index images;
  int epochs, batch, large_batch;
  std::optional<double> rate = {};  // in place of every recipe's own

  hone::index steps_per_epoch(hone::index size) const { return (images + size - 1) / size; }
};

struct recipe {
  std::string name, summary, against;  // against: what it adds something to; empty: nothing, or several things
  hone::index batch_size;              // images per step
  std::function<double(hone::index step)> rate;                         // the report draws it
  std::function<double(trainer& t, const batch& b, double rate)> step;  // one step; returns its loss
  std::function<void(trainer& t)> begin = {};                           // before the first step
  std::function<void(trainer& t)> swap = {};  // before and after every test: other parameters in, and out again
  std::function<std::string()> note = {};     // what there is to tell afterwards
};

/// All recipes, the baseline first. Made anew for every training, so that a recipe may hold state.
std::vector<recipe> all_recipes(const plan& plan);

/// Recipes that are looked at together, by one name.
struct recipe_group {
  std::string name;
  std::vector<std::string> recipes;         // the first is what the others are looked at beside
  std::vector<std::string> ascending = {};  // each is said to do better than the one before
  std::string source = {};                  // by whom
};
std::vector<recipe_group> recipe_groups();

}  // namespace demo
