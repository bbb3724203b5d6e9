// SPDX-License-Identifier: MIT
/// Adds one refinement after another to a training, says what each was worth, and runs published effects again.
#include "cores.hpp"
#include "interrupt.hpp"
#include "options.hpp"
#include "report.hpp"
#include "report_file.hpp"
#include "runner.hpp"
#include "summary.hpp"
#include "text.hpp"
#include "work_folder.hpp"

#include <cstdio>

namespace {

using namespace ladder;

/// What is trained beside what teaches.
struct selection {
  std::vector<std::string> networks;
  std::vector<experiment> experiments;

  explicit selection(const options& o) : networks(o.networks) {
    const bool everything = o.networks.empty() && o.experiments.empty();
    if (everything) networks = {"demo", "residual"};
    for (const experiment& e : all_experiments())
      if ((everything && o.sets.empty()) ||
          std::find(o.experiments.begin(), o.experiments.end(), e.name) != o.experiments.end())
        experiments.push_back(e);
    for (std::string& name : networks)
      if (network_named(name).residual()) name += suffix_of(o.with);
  }

  std::vector<training> trainings(const options& o) const {
    std::vector<training> all;
    const auto add = [&all](const std::vector<training>& more) { all.insert(all.end(), more.begin(), more.end()); };
    for (const std::string& network : networks) {
      if (o.sets.empty()) add(ladder_of(o.plan, network));
      for (const tricks& set : o.sets)
        add(seeds_of(o.plan, [&](std::uint64_t seed) { return make_training(o.plan, network, set, seed); }));
    }
    for (const experiment& e : experiments) add(e.trainings(o.plan));
    return all;
  }
};

void print_results(const options& o, const selection& chosen, const results& all) {
  for (const std::string& network : chosen.networks) {
    for (const tricks& set : o.sets) {
      const auto make = [&](std::uint64_t seed) { return make_training(o.plan, network, set, seed); };
      const std::vector<double> errors = numbers_of(o.plan, all, make);
      if (!errors.empty())
        std::printf("%s, %s: error %s %%\n", network.c_str(), name_of(set).c_str(), percent(errors).c_str());
    }
    const std::vector<step_result> ladder = climbed(o.plan, all, network), omitted = left_out(o.plan, all, network);
    if (!o.sets.empty() || ladder.empty() || omitted.empty()) continue;
    std::printf("\n");
    for (std::size_t i = 0; i < ladder.size(); ++i)
      std::printf("%s\n", sentence_of(network, ladder[i], i > 0 ? ladder[i - 1].what.name : "").c_str());
    for (const step_result& s : omitted) std::printf("%s\n", sentence_of_omission(network, s).c_str());
    std::printf("%s\n", overall(o.plan, network, ladder).c_str());
  }
  for (const experiment& e : chosen.experiments) {
    const finding f = e.judge(o.plan, all);
    std::printf("\n%s\n", verdict(e, f).c_str());
    for (const std::string& part : f.parts) std::printf("  %s\n", part.c_str());
  }
}

int run(options o, const std::string& command) {
  o.jobs = demo::or_one_per_core(o.jobs);
  const selection chosen(o);
  const images data(demo::read_dataset(o.data), o.plan);
  o.plan.images = static_cast<int>(data.train.size());
  o.plan.watched = static_cast<int>(data.watched.size());
  o.plan.measured = static_cast<int>(data.measured.size());
  demo::check_writable(o.report);
  const work_folder folder(o.work);
  demo::catch_interrupts();

  const std::vector<training> all = with_teachers(o.plan, chosen.trainings(o));
  std::printf("Fashion-MNIST: %d training images, %d %s; %d epochs, batch %d, %d seeds: %zu trainings, %d at a time\n",
              o.plan.images, o.plan.measured, o.plan.validation ? "held out" : "test images", o.plan.epochs,
              o.plan.batch, o.plan.seeds, all.size(), o.jobs);
  std::fflush(stdout);
  const results results = run_all(all, o.plan, data, folder.path(), o.jobs);
  if (demo::interrupted()) {
    std::printf("\ninterrupted: %zu of %zu trainings are done; the same command goes on from %s\n", results.size(),
                all.size(), o.work.c_str());
    return demo::stopped;
  }
  print_results(o, chosen, results);
  if (o.sets.empty()) {
    demo::write_report(o.report, html_report({command, o.plan, chosen.networks, chosen.experiments, results, o.jobs}));
    std::printf("report: %s\n", o.report.c_str());
  }
  return demo::done;
}

}  // namespace

int main(int count, char** arguments) {
  return demo::program("bag_of_tricks", count, arguments, [](auto given, const std::string& command) -> int {
    const options options = parse(given);
    if (!options.help) return run(options, command);
    std::printf("%s", help_text().c_str());
    return demo::done;
  });
}
