// SPDX-License-Identifier: MIT
/// Trains one network on Fashion-MNIST by several recipes and says what each was worth.
#include "cores.hpp"
#include "ending.hpp"
#include "held_out.hpp"
#include "interrupt.hpp"
#include "progress.hpp"
#include "recipe_list.hpp"
#include "report.hpp"
#include "report_file.hpp"

#include <algorithm>
#include <cstdio>

namespace {

using namespace demo;

constexpr int name_width = 15;

/// The names in place of their groups, each once.
std::vector<std::string> chosen_names(const options& options) {
  std::vector<std::string> names;
  for (const std::string& name : options.recipes) {
    std::vector<std::string> meant = {name};
    for (const recipe_group& g : recipe_groups())
      if (g.name == name) meant = g.recipes;
    for (const std::string& m : meant)
      if (std::find(names.begin(), names.end(), m) == names.end()) names.push_back(m);
  }
  return names;
}

std::vector<recipe> chosen_recipes(const options& options, const plan& plan) {
  std::vector<recipe> chosen;
  for (const std::string& name : chosen_names(options)) {
    for (recipe& r : all_recipes(plan))
      if (r.name == name) chosen.push_back(std::move(r));
    if (chosen.empty() || chosen.back().name != name)
      throw usage_error("no recipe '" + name + "'; there are " + names_text(all_recipes(plan)) + ", and groups " +
                        names_text(recipe_groups()));
  }
  return chosen;
}

void print_groups() {
  for (const recipe_group& g : recipe_groups()) {
    std::printf("  %-*s", name_width, g.name.c_str());
    for (const std::string& name : g.recipes) std::printf(" %s", name.c_str());
    std::printf("\n");
  }
}

dataset choose_images(dataset data, const options& options) {
  if (options.validation) data = with_held_out(data);
  if (options.quick)
    data = {data.train.part(0, std::min<std::size_t>(data.train.size(), 512)),
            data.test.part(0, std::min<std::size_t>(data.test.size(), 256))};
  return data;
}

int run(options options, const std::string& command) {
  options.threads = or_one_per_core(options.threads);
  chosen_recipes(options, {1, 1, 1, 1});  // a mistyped name is told before the data is read
  const dataset data = choose_images(read_dataset(options.data), options);
  check_writable(options.report);
  const auto images = static_cast<hone::index>(data.train.size());
  const plan plan{images, options.epochs, options.batch, options.large_batch, options.rate};
  std::vector<recipe> recipes = chosen_recipes(options, plan);

  catch_interrupts();
  std::printf("Fashion-MNIST: %zu training images, %zu %s; %d epochs, batch %d, %d thread%s\n", data.train.size(),
              data.test.size(), options.validation ? "held out" : "test images", options.epochs, options.batch,
              options.threads, options.threads > 1 ? "s" : "");
  print_recipes(recipes, name_width);
  std::fflush(stdout);

  std::vector<history> histories;
  {
    progress progress(options.seeds * static_cast<int>(recipes.size()), options.epochs, images);
    each_training(recipes, options.seeds, [&](const recipe& r, std::uint64_t seed) {
      histories.push_back(train(r.name, data, plan, options.threads, seed, progress));
    });
  }

  const std::vector<summary_row> rows = summarise(histories, options.epochs);
  print_results(rows.empty() ? "" : table_text(rows), verdict(histories, data.test.size()));
  for (const recipe_group& g : recipe_groups())
    if (const std::string sentence = verdict_on_order(g, histories); !sentence.empty())
      std::printf("%s\n", sentence.c_str());
  for (const history& h : histories)
    if (h.seed == 1 && !h.note.empty()) std::printf("%s, seed 1: %s.\n", h.recipe.c_str(), h.note.c_str());
  return finish(options.report, html_report({command, options, plan, data.test.size(), std::move(recipes), histories}));
}

}  // namespace

int main(int count, char** arguments) {
  return demo::program("fashion_mnist", count, arguments, [](auto given, const std::string& command) -> int {
    const options options = parse(given);
    if (!options.help) return run(options, command);
    std::printf("%s\nrecipes; each is compared with what it adds to, or else with the first one named:\n",
                help_text().c_str());
    print_recipes(all_recipes({60000, options.epochs, options.batch, options.large_batch, options.rate}), name_width);
    std::printf("\ngroups of recipes:\n");
    print_groups();
    return demo::done;
  });
}
