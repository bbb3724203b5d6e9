// SPDX-License-Identifier: MIT
#include <hone/schedule/warmup_cosine.hpp>

#include "support/message.hpp"

#include <doctest/doctest.h>

#include <cmath>
#include <cstdint>
#include <limits>
#include <numbers>

namespace {

constexpr double inf = std::numeric_limits<double>::infinity(), nan = std::numeric_limits<double>::quiet_NaN();

double reference(double start, double peak, double floor, std::int64_t warmup, std::int64_t total, std::int64_t step) {
  if (step >= total) return floor;
  const auto t = static_cast<long double>(step), w = static_cast<long double>(warmup);
  if (step < warmup) return static_cast<double>(start + (static_cast<long double>(peak) - start) * t / w);
  const long double turn = std::numbers::pi_v<long double> * (t - w) / (static_cast<long double>(total) - w);
  return static_cast<double>(floor + (static_cast<long double>(peak) - floor) * (1 + std::cos(turn)) / 2);
}

TEST_CASE("warmup_cosine follows the formula") {
  for (const double start : {0.0, 0.01, 0.2})
    for (const double floor : {0.0, 1e-3})
      for (const std::int64_t total : {1, 4, 10, 500})
        for (const std::int64_t warmup : {std::int64_t{0}, std::int64_t{1}, total / 2, total - 1, total})
          for (std::int64_t step = 0; step <= total + 2; ++step) {
            const hone::warmup_cosine schedule{
                .start = start, .peak = 0.1, .floor = floor, .warmup = warmup, .total = total};
            CHECK(std::abs(schedule.rate(step) - reference(start, 0.1, floor, warmup, total, step)) <= 1e-16);
          }
}

TEST_CASE("warmup_cosine is exact where its parts meet") {
  const hone::warmup_cosine schedule{.start = 0.25, .peak = 1, .floor = 0.125, .warmup = 4, .total = 20};
  CHECK(schedule.rate(0) == 0.25);
  CHECK(schedule.rate(2) == 0.625);
  CHECK(schedule.rate(4) == 1);
  CHECK(schedule.rate(20) == 0.125);
  CHECK(schedule.rate(std::numeric_limits<std::int64_t>::max()) == 0.125);
}

TEST_CASE("warmup_cosine without a warm-up is a cosine") {
  const hone::warmup_cosine schedule{.start = 0.7, .peak = 0.1, .floor = 0.01, .warmup = 0, .total = 9};
  const hone::cosine plain{.peak = 0.1, .floor = 0.01, .total = 9};
  for (int step = 0; step < 12; ++step) CHECK(schedule.rate(step) == plain.rate(step));
}

TEST_CASE("warmup_cosine with a warm-up of all steps ends on the floor") {
  const hone::warmup_cosine schedule{.start = 0, .peak = 1, .floor = 0.5, .warmup = 4, .total = 4};
  CHECK(schedule.rate(3) == 0.75);
  CHECK(schedule.rate(4) == 0.5);
}

TEST_CASE("warmup_cosine: invalid arguments throw with the parameter's name") {
  using support::message;
  CHECK(message([] { hone::warmup_cosine{.start = nan, .peak = 1, .warmup = 2, .total = 10}.rate(1); }) ==
        "warmup_cosine: start is nan, must be finite");
  CHECK(message([] { hone::warmup_cosine{.peak = inf, .warmup = 2, .total = 10}.rate(1); }) ==
        "warmup_cosine: peak is inf, must be finite");
  CHECK(message([] { hone::warmup_cosine{.peak = 1, .floor = nan, .total = 10}.rate(1); }) ==
        "warmup_cosine: floor is nan, must be finite");
  CHECK(message([] { hone::warmup_cosine{.peak = 1, .warmup = -1, .total = 10}.rate(1); }) ==
        "warmup_cosine: warmup is -1, must be in [0, total]");
  CHECK(message([] { hone::warmup_cosine{.peak = 1, .warmup = 11, .total = 10}.rate(1); }) ==
        "warmup_cosine: warmup is 11, must be in [0, total]");
  CHECK(message([] { hone::warmup_cosine{.peak = 1}.rate(1); }) == "warmup_cosine: total is 0, must be at least 1");
  CHECK(message([] { hone::warmup_cosine{.peak = 1, .total = 10}.rate(-3); }) ==
        "warmup_cosine: step is -3, must be at least 0");
}

}  // namespace
