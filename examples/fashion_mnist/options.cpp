// SPDX-License-Identifier: MIT
#include "options.hpp"

#include "data.hpp"

#include <algorithm>
#include <charconv>
#include <cstdio>
#include <functional>
#include <string_view>

namespace demo {
namespace {

using std::string;
using std::string_view;

template <class Number>
Number number(string_view name, const string& text, Number least, Number most, const char* range) {
  Number value{};
  const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), value);
  if (error != std::errc{} || end != text.data() + text.size() || !(value >= least && value <= most))
    throw usage_error(string(name) + " is '" + text + "', must be " + range);
  return value;
}

std::vector<string> split(string_view name, const string& text) {
  std::vector<string> parts;
  for (std::size_t begin = 0; begin <= text.size();) {
    const std::size_t end = std::min(text.find(',', begin), text.size());
    parts.push_back(text.substr(begin, end - begin));
    if (parts.back().empty()) throw usage_error(string(name) + " is '" + text + "', must be names with commas between");
    if (std::count(parts.begin(), parts.end(), parts.back()) > 1)
      throw usage_error(string(name) + " names '" + parts.back() + "' twice");
    begin = end + 1;
  }
  return parts;
}

string filled(string_view name, const string& text) {
  if (text.empty()) throw usage_error(string(name) + " is empty");
  return text;
}

/// An option with a value, or a flag where `set` is empty.
struct option {
  string_view name, value, meaning;
  std::function<void(options&, const string&)> set;
  bool options::* flag = nullptr;
};

const std::vector<option>& table() {
  static const std::vector<option> all = {
      {"--data", "FOLDER", "the four idx files, plain or .gz",
       [](options& o, const string& v) { o.data = filled("--data", v); }},
      {"--recipes", "A,B", "which trainings to compare; a group stands for its recipes",
       [](options& o, const string& v) { o.recipes = split("--recipes", v); }},
      {"--seeds", "N", "trainings per recipe, with seeds 1 to N",
       [](options& o, const string& v) { o.seeds = number("--seeds", v, 1, 1000, "a whole number from 1 to 1000"); }},
      {"--epochs", "N", "passes over the training images",
       [](options& o, const string& v) { o.epochs = number("--epochs", v, 1, 1000, "a whole number from 1 to 1000"); }},
      {"--batch", "N", "images per step",
       [](options& o, const string& v) { o.batch = number("--batch", v, 1, 60000, "a whole number from 1 to 60000"); }},
      {"--large-batch", "N", "images per step of the recipes for large batches",
       [](options& o, const string& v) {
         o.large_batch = number("--large-batch", v, 1, 60000, "a whole number from 1 to 60000");
       }},
      {"--rate", "X", "learning rate, constant, at the peak or before scaling, in place of every recipe's own",
       [](options& o, const string& v) { o.rate = number("--rate", v, 1e-9, 100.0, "a number from 1e-9 to 100"); }},
      {"--threads", "N", "threads; the results do not depend on it (default: one per core)",
       [](options& o, const string& v) {
         o.threads = number("--threads", v, 1, 1024, "a whole number from 1 to 1024");
       }},
      {"--report", "FILE", "the report, one HTML page",
       [](options& o, const string& v) { o.report = filled("--report", v); }},
      {"--validation",
       "",
       "measure on the last sixth of the training images; leave the test images alone",
       {},
       &options::validation},
      {"--quick", "", "a few hundred images, to see that everything runs", {}, &options::quick},
      {"--help", "", "this text", {}, &options::help},
  };
  return all;
}

}  // namespace

options parse(std::span<const char* const> arguments) {
  options result;
  bool epochs_given = false;
  for (std::size_t i = 0; i < arguments.size(); ++i) {
    const string argument = arguments[i], name = argument.substr(0, argument.find('='));
    const bool attached = name.size() < argument.size();  // --name=value
    const auto found = std::find_if(table().begin(), table().end(), [&](const option& o) { return o.name == name; });
    if (found == table().end()) throw usage_error("unknown option '" + argument + "'");
    if (found->flag) {
      if (attached) throw usage_error(name + " takes no value");
      result.*found->flag = true;
      continue;
    }
    if (!attached && ++i == arguments.size()) throw usage_error(name + " needs a value");
    epochs_given = epochs_given || name == "--epochs";
    found->set(result, attached ? argument.substr(name.size() + 1) : string(arguments[i]));
  }
  if (result.quick && !epochs_given) result.epochs = 2;
  return result;
}

string help_text() {
  const options d;
  string text =
      "Trains a small convolutional network on Fashion-MNIST, plainly and with hone's refinements, and compares.\n\n"
      "usage: fashion_mnist [options]\n\n";
  for (const option& o : table()) {
    string left(o.name);
    if (!o.value.empty()) left.append(" ").append(o.value);
    left.resize(std::max<std::size_t>(left.size() + 2, 18), ' ');
    text.append("  ").append(left).append(o.meaning).append("\n");
  }
  char defaults[200];
  std::snprintf(defaults, sizeof defaults, "\ndefaults: %s, %d seed, %d epochs, batch %d, large batch %d, report %s\n",
                debian_folder, d.seeds, d.epochs, d.batch, d.large_batch, d.report.c_str());
  return text + defaults + "exit code: 0 done, 1 no or corrupt data or no report, 2 bad option, 130 interrupted\n";
}

}  // namespace demo
