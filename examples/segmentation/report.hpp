// SPDX-License-Identifier: MIT
/// The whole comparison as one HTML page that needs nothing from outside.
#pragma once

#include "options.hpp"
#include "summary.hpp"

namespace segmentation {

struct report_input {
  std::string command;  // as typed
  options chosen;
  const canvas_set& canvases;
  const std::vector<recipe>& recipes;  // those that were chosen, in that order
  const std::vector<history>& histories;
};

std::string html_report(const report_input& input);

}  // namespace segmentation
