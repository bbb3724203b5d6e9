// SPDX-License-Identifier: MIT
/// The command line.
#pragma once

#include "command_line.hpp"
#include "plan.hpp"

#include <span>

namespace ladder {

using demo::usage_error;

struct options {
  std::string data = {};  // empty: where the Debian package puts it
  std::string work = "bag_of_tricks.work", report = "bag_of_tricks.html";
  std::vector<std::string> networks = {}, experiments = {};  // both empty: all of them
  std::vector<tricks> sets = {};  // trained in place of the ladders, and listed: for choosing hyper-parameters
  structure with = {};            // of the residual networks among `networks`
  int jobs = 0;                   // 0: one per core
  struct plan plan = {};
  bool help = false;
};

/// Arguments without the program's name.
options parse(std::span<const char* const> arguments);

std::string help_text();

}  // namespace ladder
