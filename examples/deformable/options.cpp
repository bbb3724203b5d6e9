// SPDX-License-Identifier: MIT
#include "options.hpp"

#include "common_options.hpp"

namespace deformable {
namespace {

const std::vector<demo::option<options>>& table() {
  using namespace demo;
  using o = deformable::options;
  using p = deformable::plan;
  static const std::vector<option<o>> all = {
      data_option<o>(),
      {"--seeds", "N", "trainings of either kind, with seeds 1 to N", set_number(planned(&p::seeds), 1, 1000)},
      {"--epochs", "N", "passes over the items", set_number(planned(&p::epochs), 1, 1000)},
      {"--canvases", "N", "canvases of an epoch", set_number(planned(&p::canvases), 1, 60000)},
      {"--test-canvases", "N", "canvases to measure on", set_number(planned(&p::tests), 1, 10000)},
      {"--batch", "N", "canvases per step", set_number(planned(&p::batch), 2, 10000)},
      {"--plain-rate", "X", "learning rate at its peak, of the plain network",
       set_number(planned(&p::plain_rate), 1e-9, 100.0)},
      {"--deformable-rate", "X", "the same of the deformable one",
       set_number(planned(&p::deformable_rate), 1e-9, 100.0)},
      jobs_option<o>(),
      {"--validation", "", "measure on items of the last sixth of the training set; leave the test set alone",
       set_true(planned(&p::validation))},
      {"--quick", "", "few canvases and seeds, to see that everything runs", set_true(&o::quick)},
      help_option<o>(),
  };
  return all;
}

}  // namespace

options parse(std::span<const char* const> arguments) {
  const auto given = demo::given_options(table(), arguments);
  options result;
  if (is_given(given, "--quick"))  // first, so that what is named counts for more
    result.plan = {.canvases = 200, .tests = 100, .epochs = 2, .seeds = 2};
  for (const auto& g : given) g.apply(result);
  return result;
}

std::string help_text() {
  const options d;
  return "Compares a deformable convolution with a plain one of as many parameters, on displaced, rotated and scaled\n"
         "items of Fashion-MNIST.\n\nusage: deformable [options]\n\n" +
         listed(table()) +
         demo::format(
             "\ndefaults: %d seeds, %d epochs of %d canvases, %d for tests, batch %d, rates %g and %g, data %s\n",
             d.plan.seeds, d.plan.epochs, d.plan.canvases, d.plan.tests, d.plan.batch, d.plan.plain_rate,
             d.plan.deformable_rate, demo::debian_folder) +
         "exit code: 0 done, 1 no or corrupt data, 2 bad option, 130 interrupted\n";
}

}  // namespace deformable
