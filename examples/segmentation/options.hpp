// SPDX-License-Identifier: MIT
/// The command line.
#pragma once

#include "command_line.hpp"

#include <span>
#include <string>
#include <vector>

namespace segmentation {

using demo::usage_error;

struct options {
  std::string data = {};  // empty: where the Debian package puts Fashion-MNIST
  std::vector<std::string> recipes = {"ce_dice"};
  int seeds = 1;
  int epochs = 6;                            // with --quick: 2
  int canvases = 2500, test_canvases = 500;  // with --quick: 48 and 16
  int batch = 4;
  double rate = 0.1;  // at the peak
  int threads = 0;    // 0: one per core
  std::string report = "segmentation.html";
  bool compare = false;     // every recipe
  bool validation = false;  // measure on held-out training images: for choosing hyper-parameters
  bool quick = false;       // a few canvases, to see that everything runs
  bool help = false;
};

/// Arguments without the program's name. Checks ranges; names of recipes are checked where they are known.
options parse(std::span<const char* const> arguments);

std::string help_text();

}  // namespace segmentation
