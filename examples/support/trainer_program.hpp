// SPDX-License-Identifier: MIT
/// What the trainers of other libraries share: options, the images, and the report of a training.
#pragma once

#include "data.hpp"

#include <cstdint>
#include <functional>
#include <string>

namespace demo {

struct trainer_options {
  bool quick = false;       // 20 steps
  bool validation = false;  // tests on the last sixth of the training images, which are then not trained on
  std::int64_t seed = 1, epochs = 3, batch = 64, threads = 1;
  double rate = 0;
  std::string data = {};
};

/// Measures the steps of a training, their time and the time of all threads; prints the result.
class stopwatch {
 public:
  void start();
  void stop(std::int64_t steps = 1);  // after so many steps
  void report(trainer_options const& o, double accuracy) const;

 private:
  double begin_ = 0, seconds_ = 0, cpu_begin_ = 0, cpu_seconds_ = 0;
  std::int64_t steps_ = 0;
};

/// What main() does: reads the options, which begin as `defaults`, and the images, and calls train.
int trainer_program(const char* name, int count, const char* const* arguments, trainer_options const& defaults,
                    const std::function<void(trainer_options const&, dataset const&)>& train);

}  // namespace demo
