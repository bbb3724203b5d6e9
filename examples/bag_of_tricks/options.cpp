// SPDX-License-Identifier: MIT
#include "options.hpp"

#include "data.hpp"
#include "experiments.hpp"
#include "text.hpp"

#include <algorithm>
#include <charconv>
#include <string_view>

namespace ladder {
namespace {

using std::string;
using std::string_view;

template <class Number>
Number number(string_view name, const string& text, Number least, Number most) {
  Number value{};
  const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), value);
  if (error != std::errc{} || end != text.data() + text.size() || !(value >= least && value <= most))
    throw usage_error(string(name) + " is '" + text + "', must be a " +
                      (std::is_integral_v<Number> ? "whole number" : "number") +
                      demo::format(" from %g to %g", static_cast<double>(least), static_cast<double>(most)));
  return value;
}

string filled(string_view name, const string& text) {
  if (text.empty()) throw usage_error(string(name) + " is empty");
  return text;
}

std::vector<string> split(const string& text, char at) {
  std::vector<string> parts;
  for (std::size_t begin = 0; begin <= text.size();) {
    const std::size_t end = std::min(text.find(at, begin), text.size());
    parts.push_back(text.substr(begin, end - begin));
    begin = end + 1;
  }
  return parts;
}

/// Names with commas between, each of them known.
std::vector<string> names(string_view option, const string& text, const auto& known) {
  string all;
  for (const auto& k : known) all += (all.empty() ? "" : ", ") + string(k.name);
  std::vector<string> parts = split(text, ',');
  if (text == "all") {
    parts.clear();
    for (const auto& k : known) parts.push_back(k.name);
  }
  for (const string& part : parts)
    if (std::none_of(std::begin(known), std::end(known), [&](const auto& k) { return k.name == part; }))
      throw usage_error(string(option) + " has '" + part + "'; there are " + all);
  return parts;
}

tricks set_of(const string& text) {
  tricks set;
  if (text == "baseline") return set;
  for (const string& name : split(text, '+')) {
    names("--sets", name, all_tricks);
    for (const trick& t : all_tricks)
      if (t.name == name) set.*t.on = true;
  }
  return set;
}

/// An option with a value, or a flag where `value` is empty.
struct option {
  string_view name, value, meaning;
  std::function<void(options&, const string&)> set;
};

void quick(plan& p) { p.images = 2400, p.watched = 500, p.measured = 2000, p.epochs = 4, p.seeds = 2; }
void tiny(plan& p) { p.images = 96, p.watched = 16, p.measured = 32, p.epochs = 2, p.seeds = 2, p.batch = 24; }

const std::vector<option>& table() {
  using o = options;
  static const std::vector<option> all = {
      {"--quick", "", "few images, epochs and seeds: minutes, to see what there is",
       [](o& x, const string&) { quick(x.plan); }},
      {"--tiny", "", "a hundred images: seconds, to see that everything runs",
       [](o& x, const string&) { tiny(x.plan); }},
      {"--networks", "A,B", "whose ladders to climb; all for every network",
       [](o& x, const string& v) { x.networks = names("--networks", v, all_networks()); }},
      {"--experiment", "A,B", "which published effects to run again; all for every one",
       [](o& x, const string& v) { x.experiments = names("--experiment", v, all_experiments()); }},
      {"--sets", "A,B+C", "sets of tricks to train and list in place of the ladders",
       [](o& x, const string& v) {
         for (const string& part : split(v, ',')) x.sets.push_back(set_of(part));
       }},
      {"--work", "FOLDER", "records and checkpoints; the same command goes on from them",
       [](o& x, const string& v) { x.work = filled("--work", v); }},
      {"--report", "FILE", "the report, one HTML page",
       [](o& x, const string& v) { x.report = filled("--report", v); }},
      {"--data", "FOLDER", "the four idx files, plain or .gz",
       [](o& x, const string& v) { x.data = filled("--data", v); }},
      {"--jobs", "N", "trainings at a time; the numbers do not depend on it (default: one per core)",
       [](o& x, const string& v) { x.jobs = number("--jobs", v, 1, 1024); }},
      {"--seeds", "N", "trainings of every kind, with seeds 1 to N",
       [](o& x, const string& v) { x.plan.seeds = number("--seeds", v, 1, 1000); }},
      {"--epochs", "N", "passes over the training images",
       [](o& x, const string& v) { x.plan.epochs = number("--epochs", v, 1, 1000); }},
      {"--images", "N", "training images",
       [](o& x, const string& v) { x.plan.images = number("--images", v, 1, 60000); }},
      {"--batch", "N", "images per step", [](o& x, const string& v) { x.plan.batch = number("--batch", v, 2, 60000); }},
      {"--rate", "X", "learning rate, constant or at the peak, in place of every network's own",
       [](o& x, const string& v) { x.plan.rate = number("--rate", v, 1e-9, 100.0); }},
      {"--alpha", "X", "of mixup", [](o& x, const string& v) { x.plan.alpha = number("--alpha", v, 1e-3, 100.0); }},
      {"--temperature", "X", "of the distillation",
       [](o& x, const string& v) { x.plan.temperature = number("--temperature", v, 1e-2, 1000.0); }},
      {"--soft-weight", "X", "of the distillation beside the labels",
       [](o& x, const string& v) { x.plan.soft_weight = number("--soft-weight", v, 0.0, 1.0); }},
      {"--validation", "", "measure on held-out training images; leave the test images alone",
       [](o& x, const string&) { x.plan.validation = true; }},
      {"--help", "", "this text", [](o& x, const string&) { x.help = true; }},
  };
  return all;
}

}  // namespace

options parse(std::span<const char* const> arguments) {
  struct given {
    const option* which;
    string value;
  };
  std::vector<given> all;
  for (std::size_t i = 0; i < arguments.size(); ++i) {
    const string argument = arguments[i], name = argument.substr(0, argument.find('='));
    const bool attached = name.size() < argument.size();  // --name=value
    const auto found = std::find_if(table().begin(), table().end(), [&](const option& o) { return o.name == name; });
    if (found == table().end()) throw usage_error("unknown option '" + argument + "'");
    if (found->value.empty()) {
      if (attached) throw usage_error(name + " takes no value");
      all.push_back({&*found, {}});
      continue;
    }
    if (!attached && ++i == arguments.size()) throw usage_error(name + " needs a value");
    all.push_back({&*found, attached ? argument.substr(name.size() + 1) : string(arguments[i])});
  }
  // --quick and --tiny first, so that what else is said counts wherever it stands
  std::stable_partition(all.begin(), all.end(),
                        [](const given& g) { return g.which->name == "--quick" || g.which->name == "--tiny"; });
  options result;
  for (const given& g : all) g.which->set(result, g.value);
  return result;
}

string help_text() {
  const options d;
  string text =
      "Climbs from a plain training on Fashion-MNIST to one with every refinement, a trick at a time, and runs\n"
      "published effects again.\n\nusage: bag_of_tricks [options]\n\n";
  for (const option& o : table()) {
    string left(o.name);
    if (!o.value.empty()) left.append(" ").append(o.value);
    left.resize(std::max<std::size_t>(left.size() + 2, 20), ' ');
    text.append("  ").append(left).append(o.meaning).append("\n");
  }
  text +=
      demo::format("\ndefaults: the ladders of demo and residual and all experiments; %d images, %d epochs, %d seeds, ",
                   d.plan.images, d.plan.epochs, d.plan.seeds) +
      "work " + d.work + ", report " + d.report + ",\ndata " + demo::debian_folder + "\n\nnetworks:\n";
  for (const network_kind& n : all_networks()) text += demo::format("  %-18s", n.name.c_str()) + n.meaning + "\n";
  text += "\ntricks:\n";
  for (const trick& t : all_tricks) text += demo::format("  %-18s%s\n", t.name, t.meaning);
  text += "\nexperiments:\n";
  for (const experiment& e : all_experiments()) text += demo::format("  %-18s", e.name.c_str()) + e.claim + "\n";
  return text + "\nexit code: 0 done, 1 data or records that cannot be used, 2 bad option, 130 interrupted\n";
}

}  // namespace ladder
