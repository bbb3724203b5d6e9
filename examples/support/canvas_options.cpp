// SPDX-License-Identifier: MIT
#include "canvas_options.hpp"

#include "common_options.hpp"

namespace demo {

std::vector<option<canvas_options>> canvas_table(const canvas_meanings& meanings) {
  using o = canvas_options;
  return {
      data_option<o>(meanings.data),
      {"--compare", "", meanings.compare, set_true(&o::compare)},
      {"--recipes", "A,B", meanings.recipes, set_names(&o::recipes)},
      seeds_option<o>(),
      {"--epochs", "N", "passes over the training canvases", set_number(&o::epochs, 1, 1000)},
      {"--canvases", "N", "canvases to train on", set_number(&o::canvases, 1, 1000000)},
      {"--test-canvases", "N", "canvases to test on", set_number(&o::test_canvases, 1, 1000000)},
      {"--batch", "N", "canvases per step", set_number(&o::batch, 1, 10000)},
      {"--rate", "X", "learning rate at its peak", set_number(&o::rate, 1e-9, 100.0)},
      threads_option<o>(),
      report_option<o>(),
      {"--validation", "", "measure on canvases of the last sixth of the training images; leave the test images alone",
       set_true(&o::validation)},
      {"--quick", "", "a few canvases, to see that everything runs", set_true(&o::quick)},
      help_option<o>(),
  };
}

void apply_all(const std::vector<given_option<canvas_options>>& given, canvas_options& to) {
  for (const auto& g : given) g.apply(to);
  if (to.compare && is_given(given, "--recipes"))
    throw usage_error("--compare trains every recipe: --recipes does not go with it");
}

std::string canvas_help(const std::string& program, const std::vector<option<canvas_options>>& table,
                        const canvas_options& d) {
  return "usage: " + program + " [options]\n\n" + listed(table) +
         format(
             "\ndefaults: recipe %s, %d seed, %d epochs, %d canvases and %d for tests, batch %d, rate %g, report %s\n",
             d.recipes[0].c_str(), d.seeds, d.epochs, d.canvases, d.test_canvases, d.batch, d.rate, d.report.c_str()) +
         "exit code: 0 done, 1 no or corrupt data or no report, 2 bad option, 130 interrupted\n";
}

std::string setting_text(const std::string& what, std::size_t train, std::size_t test, const canvas_options& chosen) {
  return what + format(": %zu to train on, %zu %s; %d epochs, batch %d, %d thread%s", train, test,
                       chosen.validation ? "held out" : "to test on", chosen.epochs, chosen.batch, chosen.threads,
                       chosen.threads > 1 ? "s" : "");
}

}  // namespace demo
