// SPDX-License-Identifier: MIT
#include "options.hpp"

#include "common_options.hpp"
#include "data.hpp"
#include "experiments.hpp"

namespace ladder {
namespace {

using std::string;
using std::string_view;

/// Names with commas between, each of them known; or all.
std::vector<string> known_names(string_view option, const string& text, const auto& known) {
  std::vector<string> every;
  for (const auto& k : known) every.emplace_back(k.name);
  if (text == "all") return every;
  std::vector<string> names = demo::split_names(option, text);
  for (const string& name : names)
    if (std::ranges::count(every, name) == 0) {
      string list;
      for (const string& e : every) list += (list.empty() ? "" : ", ") + e;
      throw usage_error(string(option) + " has '" + name + "'; there are " + list);
    }
  return names;
}

/// "schedule+mixup", or "baseline" for none.
tricks set_of(string_view option, string text) {
  tricks set;
  if (text == "baseline") return set;
  std::ranges::replace(text, '+', ',');
  for (const string& name : known_names(option, text, all_tricks))
    for (const trick& t : all_tricks)
      if (t.name == name) set.*t.on = true;
  return set;
}

/// "d,se", or "none".
structure structure_of(string_view option, const string& text) {
  structure with{.d = false};
  if (text == "none") return with;
  for (const string& name : known_names(option, text, all_pieces))
    for (const structure_piece& piece : all_pieces)
      if (piece.name == name) with.*piece.on = true;
  return with;
}

void quick(plan& p) { p.images = 2400, p.watched = 500, p.measured = 2000, p.epochs = 4, p.seeds = 2; }
void tiny(plan& p) { p.images = 96, p.watched = 16, p.measured = 32, p.epochs = 2, p.seeds = 2, p.batch = 24; }

const std::vector<demo::option<options>>& table() {
  using namespace demo;
  using o = ladder::options;
  using p = ladder::plan;
  static const std::vector<option<o>> all = {
      {"--quick", "", "few images, epochs and seeds: minutes, to see what there is",
       [](o& x, string_view, const string&) { quick(x.plan); }},
      {"--tiny", "", "a hundred images: seconds, to see that everything runs",
       [](o& x, string_view, const string&) { tiny(x.plan); }},
      {"--networks", "A,B", "whose ladders to climb; all for every network",
       [](o& x, string_view name, const string& v) { x.networks = known_names(name, v, all_networks()); }},
      {"--experiment", "A,B", "which published effects to run again; all for every one",
       [](o& x, string_view name, const string& v) { x.experiments = known_names(name, v, all_experiments()); }},
      {"--sets", "A,B+C", "sets of tricks to train and list in place of the ladders",
       [](o& x, string_view name, const string& v) {
         for (const string& part : split_names(name, v)) x.sets.push_back(set_of(name, part));
       }},
      {"--structure", "A,B", "pieces of the residual networks whose ladders are climbed, or none (default: d)",
       [](o& x, string_view name, const string& v) { x.with = structure_of(name, v); }},
      {"--work", "FOLDER", "records and checkpoints; the same command goes on from them", set_text(&o::work)},
      report_option<o>(),
      data_option<o>(),
      jobs_option<o>(),
      {"--seeds", "N", "trainings of every kind, with seeds 1 to N", set_number(planned(&p::seeds), 1, 1000)},
      {"--epochs", "N", "passes over the training images", set_number(planned(&p::epochs), 1, 1000)},
      {"--images", "N", "training images", set_number(planned(&p::images), 1, 60000)},
      {"--batch", "N", "images per step", set_number(planned(&p::batch), 2, 60000)},
      {"--rate", "X", "learning rate, constant or at the peak, in place of every network's own",
       set_number(planned(&p::rate), 1e-9, 100.0)},
      {"--alpha", "X", "of mixup", set_number(planned(&p::alpha), 1e-3, 100.0)},
      {"--temperature", "X", "of the distillation", set_number(planned(&p::temperature), 1e-2, 1000.0)},
      {"--soft-weight", "X", "of the distillation beside the labels", set_number(planned(&p::soft_weight), 0.0, 1.0)},
      {"--validation", "", "measure on held-out training images; leave the test images alone",
       set_true(planned(&p::validation))},
      help_option<o>(),
  };
  return all;
}

}  // namespace

options parse(std::span<const char* const> arguments) {
  const auto given = demo::given_options(table(), arguments);
  options result;
  for (const bool forms :
       {true, false})  // --quick and --tiny first, so that what else is said counts wherever it stands
    for (const auto& g : given)
      if ((g.which->name == "--quick" || g.which->name == "--tiny") == forms) g.apply(result);
  return result;
}

string help_text() {
  const options d;
  string text =
      "Climbs from a plain training on Fashion-MNIST to one with every refinement, a trick at a time, and runs\n"
      "published effects again.\n\nusage: bag_of_tricks [options]\n\n" +
      listed(table());
  text +=
      demo::format("\ndefaults: the ladders of demo and residual and all experiments; %d images, %d epochs, %d seeds, ",
                   d.plan.images, d.plan.epochs, d.plan.seeds) +
      "work " + d.work + ", report " + d.report + ",\ndata " + demo::debian_folder + "\n\nnetworks:\n";
  for (const network_kind& n : all_networks()) text += demo::format("  %-18s", n.name.c_str()) + n.meaning + "\n";
  text += "\nstructure:\n";
  for (const structure_piece& p : all_pieces) text += demo::format("  %-18s%s\n", p.name, p.meaning);
  text += "\ntricks:\n";
  for (const trick& t : all_tricks) text += demo::format("  %-18s%s\n", t.name, t.meaning);
  text += "\nexperiments:\n";
  for (const experiment& e : all_experiments()) text += demo::format("  %-18s", e.name.c_str()) + e.claim + "\n";
  return text + "\nexit code: 0 done, 1 data or records that cannot be used, 2 bad option, 130 interrupted\n";
}

}  // namespace ladder
