// SPDX-License-Identifier: MIT
/// What the trainings say together: a table and verdicts, both computed from the numbers.
#pragma once

#include "spread.hpp"
#include "train.hpp"

namespace detection {

/// The complete trainings of one recipe, or a single interrupted one that had an epoch.
struct summary_row {
  std::string recipe;
  int runs, epochs;
  bool complete;
  demo::spread mean, half, three_quarters, seconds;  // AP@[.5:.95], AP@.5, AP@.75
};

std::vector<summary_row> summarise(const std::vector<history>& histories);

/// The rows as lines of text, aligned.
std::string table_text(const std::vector<summary_row>& rows);
/// "41.3", "41.3 ± 0.4": in points.
std::string points_text(const demo::spread& s, int runs);

/// RetinaNet's ordering (Lin et al. 2017, table 1: focal loss above cross-entropy with weights above plain
/// cross-entropy), and how each box loss did against IoU's; of what was trained. The judgement, a colon, the numbers.
std::vector<std::string> verdicts(const std::vector<history>& histories);

}  // namespace detection
