// SPDX-License-Identifier: MIT
/// Trains a small U-Net by several losses and says what each was worth.
#include "interrupt.hpp"
#include "report.hpp"
#include "report_file.hpp"
#include "training_progress.hpp"

#include <algorithm>
#include <cstdio>
#include <thread>

namespace {

using namespace segmentation;
using demo::format;

constexpr std::uint64_t canvas_seed = 1;  // that of the trainings changes the weights and the order alone

std::vector<recipe> chosen_recipes(const options& options) {
  const std::vector<recipe> all = all_recipes();
  if (options.compare) return all;
  std::vector<recipe> chosen;
  for (const std::string& name : options.recipes) {
    const auto found = std::ranges::find(all, name, &recipe::name);
    if (found == all.end()) {
      std::string names;
      for (const recipe& r : all) names += (names.empty() ? "" : ", ") + r.name;
      throw usage_error("no recipe '" + name + "'; there are " + names);
    }
    chosen.push_back(*found);
  }
  return chosen;
}

void print_recipes(const std::vector<recipe>& recipes) {
  for (const recipe& r : recipes) std::printf("  %-11s %s\n", r.name.c_str(), r.summary.c_str());
}

canvas_set canvases_of(const options& o) {
  demo::dataset items = demo::read_dataset(o.data);
  if (o.validation) {
    const std::size_t all = items.train.size(), kept = all - all / 6;
    items = {items.train.part(0, kept), items.train.part(kept, all)};
  }
  return canvases(items.train, items.test, static_cast<std::size_t>(o.canvases),
                  static_cast<std::size_t>(o.test_canvases), canvas_seed);
}

class progress final : public observer {
 public:
  progress(int trainings, int epochs, std::size_t images) : lines_(trainings, epochs, images) {}

  void begin(const std::string& recipe, std::uint64_t seed) override { lines_.begin(recipe, seed); }
  void step(int epoch, hone::index images, double loss) override { lines_.step(epoch, images, loss); }
  void epoch(int epoch, double loss, const score& s) override {
    lines_.epoch(epoch, loss, format("mean IoU %.2f  pixels right %.2f", 100 * s.mean_iou, 100 * s.accuracy));
  }

 private:
  demo::training_progress lines_;
};

int run(options options, const std::string& command) {
  if (options.threads == 0) options.threads = static_cast<int>(std::max(1u, std::thread::hardware_concurrency()));
  const std::vector<recipe> recipes = chosen_recipes(options);
  demo::check_writable(options.report);
  const canvas_set canvases = canvases_of(options);
  demo::catch_interrupts();
  std::printf("canvases: %zu to train on, %zu %s; %d epochs, batch %d, %d thread%s\n", canvases.train.size(),
              canvases.test.size(), options.validation ? "held out" : "to test on", options.epochs, options.batch,
              options.threads, options.threads > 1 ? "s" : "");
  print_recipes(recipes);
  std::fflush(stdout);

  std::vector<history> histories;
  {
    progress progress(options.seeds * static_cast<int>(recipes.size()), options.epochs, canvases.train.size());
    for (int seed = 1; seed <= options.seeds; ++seed)
      for (const recipe& r : recipes)
        if (!demo::interrupted())
          histories.push_back(train(r, canvases, {options.epochs, options.batch, options.rate}, options.threads,
                                    static_cast<std::uint64_t>(seed), progress));
  }

  const std::vector<summary_row> rows = summarise(histories);
  if (demo::interrupted())
    std::printf("\ninterrupted%s\n", rows.empty() ? " before the end of the first epoch: no results" : "; so far:");
  if (!rows.empty()) std::printf("\n%s\n", table_text(rows).c_str());
  for (const std::string& sentence : verdicts(histories, all_recipes().front().name))
    std::printf("%s\n", sentence.c_str());
  demo::write_report(options.report, html_report({command, options, canvases, recipes, histories}));
  std::printf("report: %s\n", options.report.c_str());
  return demo::interrupted() ? demo::stopped : demo::done;
}

}  // namespace

int main(int count, char** arguments) {
  return demo::program("segmentation", count, arguments, [](auto given, const std::string& command) -> int {
    const options options = parse(given);
    if (!options.help) return run(options, command);
    std::printf("%s\nrecipes:\n", help_text().c_str());
    print_recipes(all_recipes());
    return demo::done;
  });
}
