// SPDX-License-Identifier: MIT
#include "options.hpp"

#include "common_options.hpp"
#include "data.hpp"

namespace demo {
namespace {

const std::vector<option<options>>& table() {
  using o = options;
  static const std::vector<option<options>> all = {
      data_option<o>(),
      {"--recipes", "A,B", "which trainings to compare; a group stands for its recipes", set_names(&o::recipes)},
      seeds_option<o>(),
      {"--epochs", "N", "passes over the training images", set_number(&o::epochs, 1, 1000)},
      {"--batch", "N", "images per step", set_number(&o::batch, 1, 60000)},
      {"--large-batch", "N", "images per step of the recipes for large batches", set_number(&o::large_batch, 1, 60000)},
      {"--rate", "X", "learning rate, constant, at the peak or before scaling, in place of every recipe's own",
       set_number(&o::rate, 1e-9, 100.0)},
      threads_option<o>(),
      report_option<o>(),
      {"--validation", "", "measure on the last sixth of the training images; leave the test images alone",
       set_true(&o::validation)},
      {"--quick", "", "a few hundred images, to see that everything runs", set_true(&o::quick)},
      help_option<o>(),
  };
  return all;
}

}  // namespace

options parse(std::span<const char* const> arguments) {
  const auto given = given_options(table(), arguments);
  options result;
  for (const auto& g : given) g.apply(result);
  if (result.quick && !is_given(given, "--epochs")) result.epochs = 2;
  return result;
}

std::string help_text() {
  const options d;
  return "Trains a small convolutional network on Fashion-MNIST, plainly and with hone's refinements, and compares.\n\n"
         "usage: fashion_mnist [options]\n\n" +
         listed(table()) +
         format("\ndefaults: %s, %d seed, %d epochs, batch %d, large batch %d, report %s\n", debian_folder, d.seeds,
                d.epochs, d.batch, d.large_batch, d.report.c_str()) +
         "exit code: 0 done, 1 no or corrupt data or no report, 2 bad option, 130 interrupted\n";
}

}  // namespace demo
