// SPDX-License-Identifier: MIT
/// The simulation that the DIoU paper compares box losses by, with exact gradients and with darknet's.
#include "cores.hpp"
#include "ending.hpp"
#include "interrupt.hpp"
#include "options.hpp"
#include "report.hpp"
#include "report_file.hpp"
#include "summary.hpp"
#include "terminal.hpp"
#include "text.hpp"

#include <chrono>
#include <cstdio>

namespace {

using namespace regression;

/// A bar on a terminal, a plain line at each tenth anywhere else.
class progress {
 public:
  explicit progress(std::size_t points) : points_(points) {}

  void operator()(std::size_t finished) {
    const double share = static_cast<double>(finished) / static_cast<double>(points_);
    const double gone = std::chrono::duration<double>(clock::now() - start_).count();
    const std::string count = demo::format("%zu of %zu points ", finished, points_);
    const std::string left = demo::clock_text(gone * (1 / share - 1)) + " left";
    bar_.show(count, share, " " + left);
    const int tenth = static_cast<int>(10 * share);
    if (tenth == tenth_) return;
    tenth_ = tenth;
    bar_.clear();
    std::printf("%s %s\n", count.c_str(), left.c_str());
    std::fflush(stdout);
  }

 private:
  using clock = std::chrono::steady_clock;

  const std::size_t points_;
  const clock::time_point start_ = clock::now();
  demo::status_line bar_;
  int tenth_ = 0;
};

int run(options options, const std::string& command) {
  options.threads = demo::or_one_per_core(options.threads);
  demo::check_writable(options.out);
  demo::catch_interrupts();
  const std::vector<anchor_point> points = anchor_points(options.points);
  std::printf("%d anchor points, %zu cases, %d steps, %zu losses; %d thread%s\n", options.points,
              points.size() * cases_per_point, steps, contestants().size(), options.threads,
              options.threads > 1 ? "s" : "");
  std::fflush(stdout);
  results measured;
  {
    progress shown(points.size());
    measured = simulate(points, options.threads, std::ref(shown));
  }
  if (demo::interrupted())
    std::printf("\ninterrupted%s\n", measured.points.empty()
                                         ? " before any point was finished: no report"
                                         : demo::format(" after %zu points; so far:", measured.points.size()).c_str());
  if (measured.points.empty()) return demo::stopped;
  std::printf("\n%s\n", table_text(measured).c_str());
  for (const std::string& sentence : verdicts(measured)) std::printf("%s\n", sentence.c_str());
  return demo::finish(options.out, html_report({command, points.size(), std::move(measured)}));
}

}  // namespace

int main(int count, char** arguments) {
  return demo::program("box_regression", count, arguments, [](auto given, const std::string& command) -> int {
    const options options = parse(given);
    if (!options.help) return run(options, command);
    std::printf("%s", help_text().c_str());
    return demo::done;
  });
}
