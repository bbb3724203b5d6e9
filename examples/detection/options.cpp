// SPDX-License-Identifier: MIT
#include "options.hpp"

namespace detection {
namespace {

options defaults() {
  return {.recipes = {"giou"},
          .canvases = 6000,
          .test_canvases = 1000,
          .batch = 16,
          .rate = 0.03,
          .report = "detection.html"};
}

const std::vector<demo::option<options>>& table() {
  static const auto all =
      demo::canvas_table({.data = "Fashion-MNIST's four idx files, or images with train.txt and test.txt",
                          .compare = "train every recipe, for half as long",
                          .recipes = "which trainings to compare"});
  return all;
}

}  // namespace

options parse(std::span<const char* const> arguments) {
  const auto given = demo::given_options(table(), arguments);
  options result = defaults();
  if (is_given(given, "--compare")) result.epochs = 3;  // first, so that what is named counts for more
  if (is_given(given, "--quick")) result.epochs = 2, result.canvases = 64, result.test_canvases = 32;
  apply_all(given, result);
  return result;
}

std::string help_text() {
  return "Trains a small single-stage detector and measures its average precision; compares losses of hone.\n\n" +
         demo::canvas_help("detection", table(), defaults());
}

}  // namespace detection
