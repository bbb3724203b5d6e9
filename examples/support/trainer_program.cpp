// SPDX-License-Identifier: MIT
#include "trainer_program.hpp"

#include "command_line.hpp"
#include "peak_memory.hpp"

#include <algorithm>
#include <chrono>
#include <cstdio>
#include <ctime>

namespace demo {

namespace {

using options = trainer_options;

double now() { return std::chrono::duration<double>(std::chrono::steady_clock::now().time_since_epoch()).count(); }

double cpu_time() { return static_cast<double>(std::clock()) / CLOCKS_PER_SEC; }

std::vector<option<options>> table() {
  return {
      {"--quick", "", "20 steps", set_true(&options::quick)},
      {"--validation", "", "test on the last sixth of the training images", set_true(&options::validation)},
      {"--seed", "N", "of the weights, the order and the draws", set_number<std::int64_t>(&options::seed, 0, 1 << 30)},
      {"--epochs", "N", "passes over the training images", set_number<std::int64_t>(&options::epochs, 1, 1000)},
      {"--batch", "N", "images per step", set_number<std::int64_t>(&options::batch, 2, 10000)},
      {"--threads", "N", "1", set_number<std::int64_t>(&options::threads, 1, 1024)},
      {"--rate", "X", "the largest learning rate", set_number<double>(&options::rate, 1e-9, 100)},
      {"--data", "FOLDER", "of Fashion-MNIST", set_text(&options::data)}};
}

}  // namespace

void stopwatch::start() { begin_ = now(), cpu_begin_ = cpu_time(); }
void stopwatch::stop(std::int64_t steps) {
  seconds_ += now() - begin_, cpu_seconds_ += cpu_time() - cpu_begin_, steps_ += steps;
}
void stopwatch::report(options const& o, double accuracy) const {
  const double milliseconds = 1e3 / static_cast<double>(std::max<std::int64_t>(steps_, 1));
  std::printf("seed %d: accuracy %.2f %%, %d steps of %.2f ms (%.2f ms of CPU time), peak memory %.0f MiB\n",
              static_cast<int>(o.seed), 100 * accuracy, static_cast<int>(steps_), seconds_ * milliseconds,
              cpu_seconds_ * milliseconds, peak_mebibytes());
}

int trainer_program(const char* name, int count, const char* const* arguments, options const& defaults,
                    const std::function<void(options const&, dataset const&)>& train) {
  return program(name, count, arguments, [&](std::span<const char* const> given, std::string const&) {
    const auto known = table();
    if (std::ranges::find(given, std::string_view("--help")) != given.end()) {
      std::printf("%s: trains a network on Fashion-MNIST\n%s", name, listed(known).c_str());
      return done;
    }
    options o = defaults;
    for (auto const& option : given_options(known, given)) option.apply(o);
    if (o.quick) o.epochs = 1;
    dataset data = read_dataset(o.data);
    if (o.validation) {
      const std::size_t kept = data.train.size() / 6 * 5;
      data.test = data.train.part(kept, data.train.size());
      data.train = data.train.part(0, kept);
    }
    if (o.quick) data.test = data.test.part(0, 1000);
    train(o, data);
    return done;
  });
}

}  // namespace demo
