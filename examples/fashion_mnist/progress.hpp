// SPDX-License-Identifier: MIT
/// The progress of all trainings: a bar on a terminal, a plain line per epoch anywhere else.
#pragma once

#include "terminal.hpp"
#include "train.hpp"

#include <chrono>

namespace demo {

class progress final : public observer {
 public:
  /// How much there is to do; for the time left.
  progress(int trainings, int epochs, hone::index images_per_epoch);

  void begin(const std::string& recipe, std::uint64_t seed) override;
  void step(int epoch, hone::index images, double loss, double accuracy) override;
  void epoch(int epoch, double loss, double accuracy, double test_accuracy) override;

 private:
  using clock = std::chrono::steady_clock;

  double seconds_left() const;

  const int trainings_, epochs_;
  const hone::index images_per_epoch_;
  const clock::time_point start_ = clock::now();
  status_line line_;
  std::string label_;
  int training_ = 0;
  hone::index done_ = 0;  // images, of all trainings
};

}  // namespace demo
