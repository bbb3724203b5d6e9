// SPDX-License-Identifier: MIT
#include "options.hpp"

#include "cases.hpp"
#include "common_options.hpp"

namespace regression {
namespace {

const std::vector<demo::option<options>>& table() {
  using namespace demo;
  using o = regression::options;
  static const std::vector<option<o>> all = {
      {"--full", "", "all 5,000 anchor points, 1,715,000 cases",
       [](o& x, std::string_view, const std::string&) { x.points = all_points; }},
      {"--points", "N", "the first N of them", set_number(&o::points, 1, all_points)},
      threads_option<o>(),
      {"--out", "FILE", "the report, one HTML page", set_text(&o::out)},
      help_option<o>(),
  };
  return all;
}

}  // namespace

options parse(std::span<const char* const> arguments) {
  const auto given = demo::given_options(table(), arguments);
  if (is_given(given, "--full") && is_given(given, "--points"))
    throw usage_error("--full and --points exclude each other");
  options result;
  for (const auto& g : given) g.apply(result);
  return result;
}

std::string help_text() {
  const options d;
  return "Moves boxes to their targets by the gradients of box losses, hone's and darknet's, and compares: the\n"
         "simulation of Zheng et al. 2020, arXiv 1911.08287.\n\n"
         "usage: box_regression [options]\n\n" +
         listed(table()) + demo::format("\ndefaults: %d points, report %s\n", d.points, d.out.c_str()) +
         "exit code: 0 done, 1 no report, 2 bad option, 130 interrupted\n";
}

}  // namespace regression
