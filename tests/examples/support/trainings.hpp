// SPDX-License-Identifier: MIT
/// What trainings are tested with.
#pragma once

#include "chart.hpp"
#include "training_observer.hpp"

namespace test {

template <class Result>
struct silent final : demo::training_observer<Result> {
  void begin(const std::string&, std::uint64_t) override {}
  void step(int, std::ptrdiff_t, double) override {}
  void epoch(int, double, const Result&) override {}
};

/// The mean of a curve over an epoch.
inline double of_epoch(const std::vector<demo::point>& curve, int epoch) {
  double sum = 0, count = 0;
  for (const demo::point& p : curve)
    if (p.epoch > epoch - 1 && p.epoch <= epoch) sum += p.value, count += 1;
  return sum / count;
}

}  // namespace test
