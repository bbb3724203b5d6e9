// SPDX-License-Identifier: MIT
/// Effects that were published, run again on a small scale. What would count as holding is written down in code,
/// before the numbers are there.
#pragma once

#include "results.hpp"

namespace ladder {

/// A row of numbers that an experiment shows, over its seeds.
struct finding_row {
  std::string name;
  std::vector<double> numbers;          // parts of 1
  std::vector<std::string> cells = {};  // of the finding's columns
};

struct finding {
  bool holds = false;
  std::string numbers = {};  // a sentence
  std::string unit = {};     // of the rows
  std::vector<finding_row> rows = {};
  std::vector<std::string> columns = {};  // beside the numbers
  std::vector<std::string> parts = {};    // a sentence for every part of the claim that is judged by itself
};

struct experiment {
  std::string name, claim, source, criterion;
  std::function<std::vector<training>(const plan&)> trainings;
  /// Asked only when all of them are there.
  std::function<finding(const plan&, const results&)> judge;
};

const std::vector<experiment>& all_experiments();

/// "…: holds here" or "does not hold here", and the numbers. The parts are not in it.
std::string verdict(const experiment& e, const finding& f);

}  // namespace ladder
