// SPDX-License-Identifier: MIT
/// The whole comparison as one HTML page that needs nothing from outside.
#pragma once

#include "options.hpp"
#include "summary.hpp"

namespace demo {

struct report_input {
  std::string command;  // as typed
  options chosen;
  plan training;
  std::size_t test_images;
  std::vector<recipe> recipes;  // those that were chosen, in that order
  std::vector<history> histories;
};

std::string html_report(const report_input& input);

}  // namespace demo
