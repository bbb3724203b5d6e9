// SPDX-License-Identifier: MIT
#include "options.hpp"

namespace segmentation {
namespace {

const std::vector<demo::option<options>>& table() {
  using namespace demo;
  using o = segmentation::options;
  static const std::vector<option<o>> all = {
      {"--data", "FOLDER", "Fashion-MNIST's four idx files", set_text(&o::data)},
      {"--compare", "", "train every recipe", set_true(&o::compare)},
      {"--recipes", "A,B", "which losses to compare", set_names(&o::recipes)},
      {"--seeds", "N", "trainings per recipe, with seeds 1 to N", set_number(&o::seeds, 1, 1000)},
      {"--epochs", "N", "passes over the training canvases", set_number(&o::epochs, 1, 1000)},
      {"--canvases", "N", "canvases to train on", set_number(&o::canvases, 1, 1000000)},
      {"--test-canvases", "N", "canvases to test on", set_number(&o::test_canvases, 1, 1000000)},
      {"--batch", "N", "canvases per step", set_number(&o::batch, 1, 10000)},
      {"--rate", "X", "learning rate at its peak", set_number(&o::rate, 1e-9, 100.0)},
      {"--threads", "N", "threads; the results do not depend on it (default: one per core)",
       set_number(&o::threads, 1, 1024)},
      {"--report", "FILE", "the report, one HTML page", set_text(&o::report)},
      {"--validation", "", "measure on canvases of the last sixth of the training images; leave the test images alone",
       set_true(&o::validation)},
      {"--quick", "", "a few canvases, to see that everything runs", set_true(&o::quick)},
      {"--help", "", "this text", set_true(&o::help)},
  };
  return all;
}

}  // namespace

options parse(std::span<const char* const> arguments) {
  const auto given = demo::given_options(table(), arguments);
  options result;
  if (is_given(given, "--quick"))  // first, so that what is named counts for more
    result.epochs = 2, result.canvases = 48, result.test_canvases = 16;
  for (const auto& g : given) g.apply(result);
  if (result.compare && is_given(given, "--recipes"))
    throw usage_error("--compare trains every recipe: --recipes does not go with it");
  return result;
}

std::string help_text() {
  const options d;
  return "Trains a small U-Net on composed images and measures its mean IoU; compares losses of hone.\n\n"
         "usage: segmentation [options]\n\n" +
         listed(table()) +
         demo::format(
             "\ndefaults: recipe %s, %d seed, %d epochs, %d canvases and %d for tests, batch %d, rate %g, report %s\n",
             d.recipes[0].c_str(), d.seeds, d.epochs, d.canvases, d.test_canvases, d.batch, d.rate, d.report.c_str()) +
         "exit code: 0 done, 1 no or corrupt data or no report, 2 bad option, 130 interrupted\n";
}

}  // namespace segmentation
