// SPDX-License-Identifier: MIT
#include "options.hpp"

#include "cases.hpp"

#include <charconv>
#include <string_view>

namespace regression {
namespace {

int whole_number(const std::string& name, const std::string& text, int most) {
  int value = 0;
  const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), value);
  if (error != std::errc{} || end != text.data() + text.size() || value < 1 || value > most)
    throw usage_error(name + " is '" + text + "', must be a whole number from 1 to " + std::to_string(most));
  return value;
}

}  // namespace

options parse(std::span<const char* const> arguments) {
  options result;
  bool full = false, points = false;
  for (std::size_t i = 0; i < arguments.size(); ++i) {
    const std::string argument = arguments[i], name = argument.substr(0, argument.find('='));
    const bool attached = name.size() < argument.size();  // --name=value
    const bool flag = name == "--full" || name == "--help";
    if (!flag && name != "--points" && name != "--threads" && name != "--out")
      throw usage_error("unknown option '" + argument + "'");
    if (flag) {
      if (attached) throw usage_error(name + " takes no value");
      (name == "--full" ? full : result.help) = true;
      continue;
    }
    if (!attached && ++i == arguments.size()) throw usage_error(name + " needs a value");
    const std::string value = attached ? argument.substr(name.size() + 1) : std::string(arguments[i]);
    if (name == "--out") {
      if (value.empty()) throw usage_error("--out is empty");
      result.out = value;
    } else if (name == "--threads") {
      result.threads = whole_number(name, value, 1024);
    } else {
      result.points = whole_number(name, value, all_points);
      points = true;
    }
  }
  if (full && points) throw usage_error("--full and --points exclude each other");
  if (full) result.points = all_points;
  return result;
}

std::string help_text() {
  const options d;
  return "Moves boxes to their targets by the gradients of box losses, hone's and darknet's, and compares: the\n"
         "simulation of Zheng et al. 2020, arXiv 1911.08287.\n\n"
         "usage: box_regression [options]\n\n"
         "  --full         all 5,000 anchor points, 1,715,000 cases\n"
         "  --points N     the first N of them\n"
         "  --threads N    threads; the results do not depend on it (default: one per core)\n"
         "  --out FILE     the report, one HTML page\n"
         "  --help         this text\n\n"
         "defaults: " +
         std::to_string(d.points) + " points, report " + d.out +
         "\nexit code: 0 done, 1 no report, 2 bad option, 130 interrupted\n";
}

}  // namespace regression
