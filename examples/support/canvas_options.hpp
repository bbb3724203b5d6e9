// SPDX-License-Identifier: MIT
/// The command line of a program that trains recipes on composed canvases and compares them.
#pragma once

#include "command_line.hpp"

#include <string>
#include <vector>

namespace demo {

struct canvas_options {
  std::string data = {};  // empty: where the Debian package puts Fashion-MNIST
  std::vector<std::string> recipes = {};
  int seeds = 1;
  int epochs = 6;
  int canvases = 0, test_canvases = 0;
  int batch = 0;
  double rate = 0;  // at the peak
  int threads = 0;  // 0: one per core
  std::string report = {};
  bool compare = false;     // every recipe
  bool validation = false;  // measure on held-out training images: for choosing hyper-parameters
  bool quick = false;       // a few canvases, to see that everything runs
  bool help = false;
};

/// What a program says of three of its options.
struct canvas_meanings {
  std::string_view data, compare, recipes;
};

std::vector<option<canvas_options>> canvas_table(const canvas_meanings& meanings);

/// Sets what was given. Throws usage_error where --compare and --recipes are given together.
void apply_all(const std::vector<given_option<canvas_options>>& given, canvas_options& to);

/// The usage of the program, its options, their defaults and the exit codes.
std::string canvas_help(const std::string& program, const std::vector<option<canvas_options>>& table,
                        const canvas_options& defaults);

/// What is about to be done: "WHAT: 6000 to train on, 1000 to test on; 6 epochs, batch 16, 2 threads".
std::string setting_text(const std::string& what, std::size_t train, std::size_t test, const canvas_options& chosen);

}  // namespace demo
