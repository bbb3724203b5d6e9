// SPDX-License-Identifier: MIT
/// Trains a small detector by several losses and says what each was worth.
#include "canvases.hpp"
#include "cores.hpp"
#include "ending.hpp"
#include "folder.hpp"
#include "held_out.hpp"
#include "interrupt.hpp"
#include "recipe_list.hpp"
#include "report.hpp"
#include "report_file.hpp"

#include <cstdio>

namespace {

using namespace detection;

constexpr int name_width = 13;
constexpr std::uint64_t canvas_seed = 1;  // that of the trainings changes the weights and the order alone

std::vector<recipe> chosen_recipes(const options& options) {
  return options.compare ? all_recipes() : demo::recipes_of(all_recipes(), options.recipes);
}

scene_set scenes_of(const options& o) {
  if (!o.data.empty() && is_scene_folder(o.data)) {
    scene_set set = read_scenes(o.data);
    if (o.validation) {
      const std::size_t kept = demo::kept_of(set.train.size());
      if (kept == set.train.size()) throw demo::data_error(o.data + ": --validation needs at least 6 training images");
      set.test.assign(set.train.begin() + static_cast<std::ptrdiff_t>(kept), set.train.end());
      set.train.resize(kept);
    }
    return set;
  }
  demo::dataset items = demo::read_dataset(o.data);
  if (o.validation) items = demo::with_held_out(items);
  return canvases(items.train, items.test, static_cast<std::size_t>(o.canvases),
                  static_cast<std::size_t>(o.test_canvases), canvas_seed);
}

std::string result_text(const average_precision& ap) {
  return demo::format("AP@[.5:.95] %.1f  AP@.5 %.1f", 100 * ap.mean, 100 * ap.at[0]);
}

int run(options options, const std::string& command) {
  options.threads = demo::or_one_per_core(options.threads);
  const std::vector<recipe> recipes = chosen_recipes(options);
  demo::check_writable(options.report);
  const scene_set scenes = scenes_of(options);
  demo::catch_interrupts();
  std::printf("%s\n", demo::setting_text(scenes.what, scenes.train.size(), scenes.test.size(), options).c_str());
  demo::print_recipes(recipes, name_width);
  std::fflush(stdout);

  std::vector<history> histories;
  {
    demo::shown_progress<average_precision> progress(options.seeds * static_cast<int>(recipes.size()), options.epochs,
                                                     scenes.train.size(), result_text);
    demo::each_training(recipes, options.seeds, [&](const recipe& r, std::uint64_t seed) {
      histories.push_back(
          train(r, scenes, {options.epochs, options.batch, options.rate}, options.threads, seed, progress));
    });
  }

  const std::vector<summary_row> rows = summarise(histories);
  demo::print_results(rows.empty() ? "" : table_text(rows), verdicts(histories));
  return demo::finish(options.report, html_report({command, options, scenes, recipes, histories}));
}

}  // namespace

int main(int count, char** arguments) {
  return demo::program("detection", count, arguments, [](auto given, const std::string& command) -> int {
    const options options = parse(given);
    if (!options.help) return run(options, command);
    std::printf("%s\nrecipes:\n", help_text().c_str());
    demo::print_recipes(all_recipes(), name_width);
    return demo::done;
  });
}
