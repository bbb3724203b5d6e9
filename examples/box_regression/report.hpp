// SPDX-License-Identifier: MIT
/// The whole comparison as one HTML page that needs nothing from outside.
#pragma once

#include "simulation.hpp"

namespace regression {

struct report_input {
  std::string command;         // as typed
  std::size_t planned_points;  // more than those of `measured`: interrupted
  results measured;            // of one point or more
};

std::string html_report(const report_input& input);

}  // namespace regression
