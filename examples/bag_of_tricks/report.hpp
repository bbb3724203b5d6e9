// SPDX-License-Identifier: MIT
/// The whole run as one HTML page that needs nothing from outside.
#pragma once

#include "experiments.hpp"

namespace ladder {

struct report_input {
  std::string command;  // as typed
  const struct plan& plan;
  std::vector<std::string> networks;    // whose ladders were climbed
  std::vector<experiment> experiments;  // that were run
  const results& all;
  int jobs;
};

std::string html_report(const report_input& in);

}  // namespace ladder
