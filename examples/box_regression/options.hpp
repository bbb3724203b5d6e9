// SPDX-License-Identifier: MIT
/// The command line.
#pragma once

#include "command_line.hpp"

#include <span>
#include <string>

namespace regression {

using demo::usage_error;

struct options {
  int points = 500;  // of 343 cases each
  int threads = 0;   // 0: one per core
  std::string out = "box_regression.html";
  bool help = false;
};

/// Arguments without the program's name. Checks ranges.
options parse(std::span<const char* const> arguments);

std::string help_text();

}  // namespace regression
