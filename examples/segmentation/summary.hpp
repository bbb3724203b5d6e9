// SPDX-License-Identifier: MIT
/// What the trainings say together: a table and verdicts, both computed from the numbers.
#pragma once

#include "paired_test.hpp"
#include "train.hpp"

namespace segmentation {

/// The complete trainings of one recipe, or a single interrupted one that had an epoch.
struct summary_row {
  std::string recipe;
  int runs, epochs;
  bool complete;
  demo::spread mean_iou, items, accuracy, seconds;  // items: the mean over all classes but the background
  std::vector<demo::spread> of_class;               // over the runs in which the class is not absent
};

std::vector<summary_row> summarise(const std::vector<history>& histories);

/// The mean of the classes from 1 on that are not absent.
double items_iou(const score& s);

/// The rows as lines of text, aligned.
std::string table_text(const std::vector<summary_row>& rows);
/// "41.3", "41.3 ± 0.4": in points.
std::string points_text(const demo::spread& s, int runs);

/// How each recipe's mean IoU compares with that of `base`, seed by seed: a judgement, a colon, the numbers.
std::vector<std::string> verdicts(const std::vector<history>& histories, const std::string& base);

}  // namespace segmentation
