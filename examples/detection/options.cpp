// SPDX-License-Identifier: MIT
#include "options.hpp"

#include "text.hpp"

#include <algorithm>
#include <charconv>
#include <functional>
#include <string_view>

namespace detection {
namespace {

using std::string;
using std::string_view;

template <class Number>
auto numbers(Number options::* where, Number least, Number most) {
  return [=](options& o, string_view name, const string& text) {
    const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), o.*where);
    if (error != std::errc{} || end != text.data() + text.size() || !(o.*where >= least && o.*where <= most))
      throw usage_error(string(name) + " is '" + text + "', must be " +
                        (std::is_integral_v<Number> ? "a whole number from " : "a number from ") +
                        demo::format("%g to %g", static_cast<double>(least), static_cast<double>(most)));
  };
}

auto words(string options::* where) {
  return [=](options& o, string_view name, const string& text) {
    if (text.empty()) throw usage_error(string(name) + " is empty");
    o.*where = text;
  };
}

void set_recipes(options& o, string_view name, const string& text) {
  o.recipes.clear();
  for (std::size_t begin = 0; begin <= text.size();) {
    const std::size_t end = std::min(text.find(',', begin), text.size());
    const string part = text.substr(begin, end - begin);
    if (part.empty()) throw usage_error(string(name) + " is '" + text + "', must be names with commas between");
    if (std::count(o.recipes.begin(), o.recipes.end(), part) > 0)
      throw usage_error(string(name) + " names '" + part + "' twice");
    o.recipes.push_back(part);
    begin = end + 1;
  }
}

/// An option with a value, or a flag where `set` is empty.
struct option {
  string_view name, value, meaning;
  std::function<void(options&, string_view, const string&)> set;
  bool options::* flag = nullptr;
};

const std::vector<option>& table() {
  static const std::vector<option> all = {
      {"--data", "FOLDER", "Fashion-MNIST's four idx files, or images with train.txt and test.txt",
       words(&options::data)},
      {"--compare", "", "train every recipe, for half as long", {}, &options::compare},
      {"--recipes", "A,B", "which trainings to compare", set_recipes},
      {"--seeds", "N", "trainings per recipe, with seeds 1 to N", numbers(&options::seeds, 1, 1000)},
      {"--epochs", "N", "passes over the training canvases", numbers(&options::epochs, 1, 1000)},
      {"--canvases", "N", "canvases to train on", numbers(&options::canvases, 1, 1000000)},
      {"--test-canvases", "N", "canvases to test on", numbers(&options::test_canvases, 1, 1000000)},
      {"--batch", "N", "canvases per step", numbers(&options::batch, 1, 10000)},
      {"--rate", "X", "learning rate at its peak", numbers(&options::rate, 1e-9, 100.0)},
      {"--threads", "N", "threads; the results do not depend on it (default: one per core)",
       numbers(&options::threads, 1, 1024)},
      {"--report", "FILE", "the report, one HTML page", words(&options::report)},
      {"--validation",
       "",
       "measure on canvases of the last sixth of the training images; leave the test images alone",
       {},
       &options::validation},
      {"--quick", "", "a few canvases, to see that everything runs", {}, &options::quick},
      {"--help", "", "this text", {}, &options::help},
  };
  return all;
}

}  // namespace

options parse(std::span<const char* const> arguments) {
  options result;
  const auto given = [&](string_view flag) {
    return std::find(arguments.begin(), arguments.end(), flag) != arguments.end();
  };
  if (given("--compare")) result.epochs = 3;  // first, so that what is named counts for more
  if (given("--quick")) result.epochs = 2, result.canvases = 64, result.test_canvases = 32;
  bool recipes_named = false;
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
    recipes_named = recipes_named || name == "--recipes";
    found->set(result, name, attached ? argument.substr(name.size() + 1) : string(arguments[i]));
  }
  if (result.compare && recipes_named)
    throw usage_error("--compare trains every recipe: --recipes does not go with it");
  return result;
}

string help_text() {
  const options d;
  string text =
      "Trains a small single-stage detector and measures its average precision; compares losses of hone.\n\n"
      "usage: detection [options]\n\n";
  for (const option& o : table()) {
    string left(o.name);
    if (!o.value.empty()) left.append(" ").append(o.value);
    left.resize(std::max<std::size_t>(left.size() + 2, 19), ' ');
    text.append("  ").append(left).append(o.meaning).append("\n");
  }
  return text +
         demo::format(
             "\ndefaults: recipe %s, %d seed, %d epochs, %d canvases and %d for tests, batch %d, rate %g, report %s\n",
             d.recipes[0].c_str(), d.seeds, d.epochs, d.canvases, d.test_canvases, d.batch, d.rate, d.report.c_str()) +
         "exit code: 0 done, 1 no or corrupt data or no report, 2 bad option, 130 interrupted\n";
}

}  // namespace detection
