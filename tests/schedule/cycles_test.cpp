// SPDX-License-Identifier: MIT
#include <hone/schedule/one_cycle.hpp>
#include <hone/schedule/wsd.hpp>

#include "support/message.hpp"

#include <doctest/doctest.h>

#include <cmath>
#include <cstdint>
#include <limits>
#include <numbers>

namespace {

constexpr double inf = std::numeric_limits<double>::infinity(), nan = std::numeric_limits<double>::quiet_NaN();
constexpr std::int64_t huge = std::int64_t{1} << 62;

double half_turn(double from, double to, long double x) {  // the paper's words: from, to, and how far in [0, 1]
  return static_cast<double>(from + (static_cast<long double>(to) - from) *
                                        (1 - std::cos(std::numbers::pi_v<long double> * x)) / 2);
}

TEST_CASE("one_cycle follows the formula") {
  for (const std::int64_t total : {1, 10, 300})
    for (const std::int64_t rise : {std::int64_t{0}, total / 3, total - 1, total})
      for (std::int64_t step = 0; step <= total + 1; ++step) {
        const hone::one_cycle schedule{.start = 0.04, .peak = 1, .floor = 1e-5, .rise = rise, .total = total};
        const auto t = static_cast<long double>(step), r = static_cast<long double>(rise);
        const double expected = step >= total ? 1e-5
                                : step < rise ? half_turn(0.04, 1, t / r)
                                              : half_turn(1, 1e-5, (t - r) / (static_cast<long double>(total) - r));
        CHECK(std::abs(schedule.rate(step) - expected) <= 4e-16);
      }
}

TEST_CASE("one_cycle is exact at its corners, also for a momentum that falls first") {
  const hone::one_cycle schedule{.start = 0.04, .peak = 1, .floor = 1e-5, .rise = 30, .total = 100};
  CHECK(schedule.rate(0) == 0.04);
  CHECK(schedule.rate(30) == 1);
  for (const std::int64_t step : {std::int64_t{100}, std::int64_t{101}, huge}) CHECK(schedule.rate(step) == 1e-5);
  for (int step = 1; step <= 100; ++step) CHECK((schedule.rate(step) > schedule.rate(step - 1)) == (step <= 30));
  const hone::one_cycle momentum{.start = 0.95, .peak = 0.85, .floor = 0.95, .rise = 30, .total = 100};
  CHECK(momentum.rate(0) == 0.95);
  CHECK(momentum.rate(30) == 0.85);
  CHECK(momentum.rate(100) == 0.95);
  for (int step = 1; step <= 100; ++step) CHECK((momentum.rate(step) < momentum.rate(step - 1)) == (step <= 30));
}

TEST_CASE("one_cycle: invalid arguments throw with the parameter's name") {
  using support::message;
  CHECK(message([] { hone::one_cycle{.start = nan, .total = 9}.rate(1); }) ==
        "one_cycle: start is nan, must be finite");
  CHECK(message([] { hone::one_cycle{.peak = inf, .total = 9}.rate(1); }) == "one_cycle: peak is inf, must be finite");
  CHECK(message([] { hone::one_cycle{.floor = nan, .total = 9}.rate(1); }) ==
        "one_cycle: floor is nan, must be finite");
  CHECK(message([] { hone::one_cycle{.peak = 1}.rate(1); }) == "one_cycle: total is 0, must be at least 1");
  CHECK(message([] { hone::one_cycle{.rise = 10, .total = 9}.rate(1); }) ==
        "one_cycle: rise is 10, must be in [0, total]");
  CHECK(message([] { hone::one_cycle{.rise = -1, .total = 9}.rate(1); }) ==
        "one_cycle: rise is -1, must be in [0, total]");
  CHECK(message([] { hone::one_cycle{.total = 9}.rate(-1); }) == "one_cycle: step is -1, must be at least 0");
}

TEST_CASE("wsd follows the formula") {
  using hone::decay_shape;
  for (const decay_shape shape : {decay_shape::root, decay_shape::linear, decay_shape::cosine})
    for (const std::int64_t warmup : {0, 1, 20})
      for (const std::int64_t decay : {0, 1, 30, 80}) {
        const hone::wsd schedule{
            .start = 0.01, .peak = 0.1, .floor = 1e-3, .warmup = warmup, .decay = decay, .total = 100, .shape = shape};
        for (std::int64_t step = 0; step <= 101; ++step) {
          const auto t = static_cast<long double>(step);
          const long double u = (t - 100 + static_cast<long double>(decay)) / static_cast<long double>(decay);
          double expected = 0.1;
          if (step >= 100)
            expected = 1e-3;
          else if (step < warmup)
            expected = static_cast<double>(0.01L + 0.09L * t / static_cast<long double>(warmup));
          else if (step > 100 - decay && shape == decay_shape::cosine)
            expected = half_turn(0.1, 1e-3, u);
          else if (step > 100 - decay)
            expected = static_cast<double>(1e-3L + 0.099L * (shape == decay_shape::root ? 1 - std::sqrt(u) : 1 - u));
          CHECK(std::abs(schedule.rate(step) - expected) <= 5e-17);
        }
      }
}

TEST_CASE("wsd is exact at its corners") {
  const hone::wsd schedule{.start = 0.25, .peak = 1, .floor = 0.125, .warmup = 4, .decay = 16, .total = 100};
  CHECK(schedule.rate(0) == 0.25);
  for (const int step : {4, 5, 50, 84}) CHECK(schedule.rate(step) == 1);
  CHECK(schedule.rate(88) == 0.125 + 0.875 / 2);  // a quarter of the decay: 1 - √¼
  for (const std::int64_t step : {std::int64_t{100}, huge}) CHECK(schedule.rate(step) == 0.125);
  for (int step = 85; step <= 100; ++step) CHECK(schedule.rate(step) < schedule.rate(step - 1));
}

TEST_CASE("wsd: invalid arguments throw with the parameter's name") {
  using support::message;
  CHECK(message([] { hone::wsd{.start = nan, .total = 9}.rate(1); }) == "wsd: start is nan, must be finite");
  CHECK(message([] { hone::wsd{.peak = nan, .total = 9}.rate(1); }) == "wsd: peak is nan, must be finite");
  CHECK(message([] { hone::wsd{.floor = inf, .total = 9}.rate(1); }) == "wsd: floor is inf, must be finite");
  CHECK(message([] { hone::wsd{.peak = 1}.rate(1); }) == "wsd: total is 0, must be at least 1");
  CHECK(message([] { hone::wsd{.warmup = 10, .total = 9}.rate(1); }) == "wsd: warmup is 10, must be in [0, total]");
  CHECK(message([] { hone::wsd{.warmup = 5, .decay = 5, .total = 9}.rate(1); }) ==
        "wsd: decay is 5, must be in [0, total - warmup]");
  const auto none = hone::decay_shape{7};  // NOLINT(clang-analyzer-optin.core.EnumCastOutOfRange)
  CHECK(message([&] { hone::wsd{.total = 9, .shape = none}.rate(1); }) ==
        "wsd: shape is 7, must be root, linear or cosine");
  CHECK(message([] { hone::wsd{.total = 9}.rate(-1); }) == "wsd: step is -1, must be at least 0");
}

}  // namespace
