// SPDX-License-Identifier: MIT
/// The command line.
#pragma once

#include "command_line.hpp"

#include <optional>
#include <span>
#include <string>
#include <vector>

namespace demo {

struct options {
  std::string data = {};  // empty: where the Debian package puts it
  int seeds = 1;
  int epochs = 6;                   // with --quick: 2
  int threads = 0;                  // 0: one per core
  int batch = 32;                   // images per step
  int large_batch = 1024;           // those of the recipes for large batches
  std::optional<double> rate = {};  // in place of every recipe's own
  std::string report = "fashion_mnist.html";
  std::vector<std::string> recipes = {"baseline", "refined", "ema"};  // or groups of them
  bool quick = false;       // a few hundred images, to see that everything runs
  bool validation = false;  // measure on held-out training images: for choosing hyper-parameters
  bool help = false;
};

/// Arguments without the program's name. Checks ranges; names of recipes are checked where they are known.
options parse(std::span<const char* const> arguments);

std::string help_text();

}  // namespace demo
