// SPDX-License-Identifier: MIT
/// Trains one network on Fashion-MNIST by several recipes and says what each was worth.
#include "interrupt.hpp"
#include "progress.hpp"
#include "report.hpp"
#include "report_file.hpp"

#include <algorithm>
#include <cstdio>
#include <thread>

namespace {

using namespace demo;

std::string listed(const auto& named) {
  std::string text;
  for (const auto& n : named) text += (text.empty() ? "" : ", ") + n.name;
  return text;
}

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
      throw usage_error("no recipe '" + name + "'; there are " + listed(all_recipes(plan)) + ", and groups " +
                        listed(recipe_groups()));
  }
  return chosen;
}

void print_recipes(const std::vector<recipe>& recipes) {
  for (const recipe& r : recipes) std::printf("  %-15s %s\n", r.name.c_str(), r.summary.c_str());
}

void print_groups() {
  for (const recipe_group& g : recipe_groups()) {
    std::printf("  %-15s", g.name.c_str());
    for (const std::string& name : g.recipes) std::printf(" %s", name.c_str());
    std::printf("\n");
  }
}

dataset choose_images(dataset data, const options& options) {
  if (options.validation) {
    const std::size_t all = data.train.size(), kept = all - all / 6;
    data = {data.train.part(0, kept), data.train.part(kept, all)};
  }
  if (options.quick)
    data = {data.train.part(0, std::min<std::size_t>(data.train.size(), 512)),
            data.test.part(0, std::min<std::size_t>(data.test.size(), 256))};
  return data;
}

int run(options options, const std::string& command) {
  if (options.threads == 0) options.threads = static_cast<int>(std::max(1u, std::thread::hardware_concurrency()));
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
  print_recipes(recipes);
  std::fflush(stdout);

  std::vector<history> histories;
  {
    progress progress(options.seeds * static_cast<int>(recipes.size()), options.epochs, images);
    for (int seed = 1; seed <= options.seeds && !interrupted(); ++seed)
      for (const recipe& r : recipes)
        if (!interrupted())
          histories.push_back(train(r.name, data, plan, options.threads, static_cast<std::uint64_t>(seed), progress));
  }

  const std::vector<summary_row> rows = summarise(histories, options.epochs);
  if (interrupted())
    std::printf("\ninterrupted%s\n", rows.empty() ? " before the end of the first epoch: no results" : "; so far:");
  if (!rows.empty()) std::printf("\n%s\n", table_text(rows).c_str());
  for (const std::string& sentence : verdict(histories, data.test.size())) std::printf("%s\n", sentence.c_str());
  for (const recipe_group& g : recipe_groups())
    if (const std::string sentence = verdict_on_order(g, histories); !sentence.empty())
      std::printf("%s\n", sentence.c_str());
  for (const history& h : histories)
    if (h.seed == 1 && !h.note.empty()) std::printf("%s, seed 1: %s.\n", h.recipe.c_str(), h.note.c_str());
  write_report(options.report, html_report({command, options, plan, data.test.size(), std::move(recipes), histories}));
  std::printf("report: %s\n", options.report.c_str());
  return interrupted() ? stopped : done;
}

}  // namespace

int main(int count, char** arguments) {
  return demo::program("fashion_mnist", count, arguments, [](auto given, const std::string& command) -> int {
    const options options = parse(given);
    if (!options.help) return run(options, command);
    std::printf("%s\nrecipes; each is compared with what it adds to, or else with the first one named:\n",
                help_text().c_str());
    print_recipes(all_recipes({60000, options.epochs, options.batch, options.large_batch, options.rate}));
    std::printf("\ngroups of recipes:\n");
    print_groups();
    return demo::done;
  });
}
