// SPDX-License-Identifier: MIT
/// Trains a small U-Net by several losses and says what each was worth.
#include "cores.hpp"
#include "ending.hpp"
#include "held_out.hpp"
#include "interrupt.hpp"
#include "recipe_list.hpp"
#include "report.hpp"
#include "report_file.hpp"

#include <cstdio>

namespace {

using namespace segmentation;

constexpr int name_width = 11;
constexpr std::uint64_t canvas_seed = 1;  // that of the trainings changes the weights and the order alone

std::vector<recipe> chosen_recipes(const options& options) {
  return options.compare ? all_recipes() : demo::recipes_of(all_recipes(), options.recipes);
}

canvas_set canvases_of(const options& o) {
  demo::dataset items = demo::read_dataset(o.data);
  if (o.validation) items = demo::with_held_out(items);
  return canvases(items.train, items.test, static_cast<std::size_t>(o.canvases),
                  static_cast<std::size_t>(o.test_canvases), canvas_seed);
}

std::string result_text(const score& s) {
  return demo::format("mean IoU %.2f  pixels right %.2f", 100 * s.mean_iou, 100 * s.accuracy);
}

int run(options options, const std::string& command) {
  options.threads = demo::or_one_per_core(options.threads);
  const std::vector<recipe> recipes = chosen_recipes(options);
  demo::check_writable(options.report);
  const canvas_set canvases = canvases_of(options);
  demo::catch_interrupts();
  std::printf("%s\n", demo::setting_text("canvases", canvases.train.size(), canvases.test.size(), options).c_str());
  demo::print_recipes(recipes, name_width);
  std::fflush(stdout);

  std::vector<history> histories;
  {
    demo::shown_progress<score> progress(options.seeds * static_cast<int>(recipes.size()), options.epochs,
                                         canvases.train.size(), result_text);
    demo::each_training(recipes, options.seeds, [&](const recipe& r, std::uint64_t seed) {
      histories.push_back(
          train(r, canvases, {options.epochs, options.batch, options.rate}, options.threads, seed, progress));
    });
  }

  const std::vector<summary_row> rows = summarise(histories);
  demo::print_results(rows.empty() ? "" : table_text(rows), verdicts(histories, all_recipes().front().name));
  return demo::finish(options.report, html_report({command, options, canvases, recipes, histories}));
}

}  // namespace

int main(int count, char** arguments) {
  return demo::program("segmentation", count, arguments, [](auto given, const std::string& command) -> int {
    const options options = parse(given);
    if (!options.help) return run(options, command);
    std::printf("%s\nrecipes:\n", help_text().c_str());
    demo::print_recipes(all_recipes(), name_width);
    return demo::done;
  });
}
