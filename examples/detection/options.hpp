// SPDX-License-Identifier: MIT
/// The command line.
#pragma once

#include "command_line.hpp"

#include <span>
#include <string>
#include <vector>

namespace detection {

using demo::usage_error;

struct options {
  std::string data = {};  // empty: where the Debian package puts Fashion-MNIST
  std::vector<std::string> recipes = {"giou"};
  int seeds = 1;
  int epochs = 6;                             // with --compare: 3, with --quick: 2
  int canvases = 6000, test_canvases = 1000;  // with --quick: 64 and 32
  int batch = 16;
  double rate = 0.03;  // at the peak
  int threads = 0;     // 0: one per core
  std::string report = "detection.html";
  bool compare = false;     // every recipe
  bool validation = false;  // measure on held-out training images: for choosing hyper-parameters
  bool quick = false;       // a few canvases, to see that everything runs
  bool help = false;
};

/// Arguments without the program's name. Checks ranges; names of recipes are checked where they are known.
options parse(std::span<const char* const> arguments);

std::string help_text();

}  // namespace detection
