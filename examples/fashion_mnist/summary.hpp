// SPDX-License-Identifier: MIT
/// What the trainings say together: a table and a verdict, both computed from the numbers.
#pragma once

#include "spread.hpp"
#include "train.hpp"

namespace demo {

/// The trainings of one recipe: all complete ones, or a single interrupted one.
struct summary_row {
  std::string recipe;
  int runs = 0;
  int epochs = 0, planned = 0;  // epochs < planned: interrupted
  spread accuracy, calibration_error, seconds;

  bool complete() const { return epochs == planned; }
  double error() const { return 1 - accuracy.mean; }
};

/// In the order of first appearance; trainings without a completed epoch are left out.
std::vector<summary_row> summarise(const std::vector<history>& histories, int planned_epochs);

/// Percentages "91.06 ± 0.15"; the deviation only where there are several runs.
std::string percent_text(const spread& s, int runs);
/// The label of a row, with what makes it special.
std::string label_of(const summary_row& row);

/// The rows as lines of text, aligned.
std::string table_text(const std::vector<summary_row>& rows);

/// One sentence or two per recipe against what it adds to, or else the first one, seed by seed. It says so where
/// nothing was gained.
std::vector<std::string> verdict(const std::vector<history>& histories, std::size_t test_images);
/// That of one recipe; empty where it was not trained, or is the first one.
std::string verdict_on(const std::string& recipe, const std::vector<history>& histories, std::size_t test_images);
/// Whether the recipes of a group came out in the order that is said of them, each above the one before on the mean of
/// the seeds that both ran with. Empty where nothing is said of the group, or not all of it was trained.
std::string verdict_on_order(const recipe_group& group, const std::vector<history>& histories);

}  // namespace demo
