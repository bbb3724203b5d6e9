// SPDX-License-Identifier: MIT
// What docs/schedules.md shows.
#include <hone/hone.hpp>

#include <cmath>
#include <cstdio>

namespace {

int failures = 0;

void expect(double actual, double expected, const char* what) {
  if (std::abs(actual - expected) <= 1e-15) return;
  std::printf("wrong: %s is %.17g, not %.17g\n", what, actual, expected);
  ++failures;
}

}  // namespace

int main() {
  {
    // [cosine]
    const hone::cosine schedule{.peak = 0.1, .floor = 0, .total = 1000};
    double half_way = schedule.rate(500);  // 0.05
    // [/cosine]
    expect(schedule.rate(0), 0.1, "cosine at 0");
    expect(half_way, 0.05, "cosine half way");
    expect(schedule.rate(5000), 0, "cosine at the end");
  }
  {
    // [warmup_cosine]
    const hone::warmup_cosine schedule{.start = 0, .peak = 0.1, .floor = 0, .warmup = 100, .total = 1000};
    double warming = schedule.rate(50), highest = schedule.rate(100);  // 0.05 and 0.1
    // [/warmup_cosine]
    expect(warming, 0.05, "warming");
    expect(highest, 0.1, "the peak");
    expect(schedule.rate(1000), 0, "the floor");
  }
  {
    // [cosine_restarts]
    const hone::cosine_restarts schedule{.peak = 0.1, .floor = 0, .period = 100, .factor = 2, .decay = 0.5};
    double second = schedule.rate(100), third = schedule.rate(300);  // 0.05 and 0.025
    // [/cosine_restarts]
    expect(second, 0.05, "the second cycle");
    expect(third, 0.025, "the third cycle");
  }
  {
    // [linear_scaled_rate]
    const double peak = hone::linear_scaled_rate(0.1, 1024);  // 0.4: 0.1 was good for 256 samples
    // [/linear_scaled_rate]
    expect(peak, 0.4, "linear_scaled_rate");
  }
  return failures;
}
