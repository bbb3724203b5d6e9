// SPDX-License-Identifier: MIT
#include "options.hpp"

namespace segmentation {
namespace {

options defaults() {
  return {.recipes = {"ce_dice"},
          .canvases = 2500,
          .test_canvases = 500,
          .batch = 4,
          .rate = 0.1,
          .report = "segmentation.html"};
}

const std::vector<demo::option<options>>& table() {
  static const auto all = demo::canvas_table({.data = "Fashion-MNIST's four idx files",
                                              .compare = "train every recipe",
                                              .recipes = "which losses to compare"});
  return all;
}

}  // namespace

options parse(std::span<const char* const> arguments) {
  const auto given = demo::given_options(table(), arguments);
  options result = defaults();
  if (is_given(given, "--quick"))  // first, so that what is named counts for more
    result.epochs = 2, result.canvases = 48, result.test_canvases = 16;
  apply_all(given, result);
  return result;
}

std::string help_text() {
  return "Trains a small U-Net on composed images and measures its mean IoU; compares losses of hone.\n\n" +
         demo::canvas_help("segmentation", table(), defaults());
}

}  // namespace segmentation
