// SPDX-License-Identifier: MIT
#include <hone/schedule/exponential.hpp>
#include <hone/schedule/milestones.hpp>
#include <hone/schedule/step_decay.hpp>

#include "support/message.hpp"

#include <doctest/doctest.h>

#include <array>
#include <cmath>
#include <cstdint>
#include <limits>
#include <numeric>
#include <span>
#include <vector>

namespace {

constexpr double inf = std::numeric_limits<double>::infinity(), nan = std::numeric_limits<double>::quiet_NaN();
constexpr std::int64_t huge = std::int64_t{1} << 62;

TEST_CASE("exponential follows the formula down to its floor") {
  for (const std::int64_t period : {1, 7, 100})
    for (const double factor : {0.5, 0.97, 1.0})
      for (std::int64_t step = 0; step < 300; ++step) {
        const long double p = static_cast<long double>(step) / static_cast<long double>(period);
        const double expected = static_cast<double>(0.1L * std::pow(static_cast<long double>(factor), p));
        const hone::exponential free{.peak = 0.1, .factor = factor, .period = period};
        const hone::exponential bound{.peak = 0.1, .floor = 0.01, .factor = factor, .period = period};
        CHECK(free.rate(step) == doctest::Approx(expected).epsilon(1e-13));
        CHECK(bound.rate(step) == (expected > 0.01 ? free.rate(step) : 0.01));
      }
  CHECK(hone::exponential{.peak = 0.1, .factor = 0.9}.rate(0) == 0.1);
  CHECK(hone::exponential{.peak = 1, .factor = 0.5, .period = 10}.rate(20) == 0.25);
  CHECK(hone::exponential{.peak = 1, .factor = 0.5}.rate(huge) == 0);
  CHECK(hone::exponential{.peak = 1, .floor = 0.125, .factor = 0.5}.rate(huge) == 0.125);
}

TEST_CASE("step_decay changes after every whole period") {
  const hone::step_decay schedule{.peak = 1, .floor = 0.125, .factor = 0.5, .period = 30};
  const std::int64_t steps[] = {0, 29, 30, 59, 60, 89, 90, 119, 120, 150, huge};
  const double rates[] = {1, 1, 0.5, 0.5, 0.25, 0.25, 0.125, 0.125, 0.125, 0.125, 0.125};
  for (int i = 0; i < 11; ++i) CHECK(schedule.rate(steps[i]) == rates[i]);
  CHECK(hone::step_decay{.peak = 1, .period = 5}.rate(5) == 0.1);  // the default factor
  CHECK(hone::step_decay{.peak = 1, .period = 5}.rate(huge) == 0);
}

TEST_CASE("milestones change the rate at each milestone, and keep it after the last") {
  const hone::milestones<3> schedule{.peak = 1, .factor = 0.5, .at = {30, 60, 80}};
  const std::int64_t steps[] = {0, 29, 30, 59, 60, 79, 80, 81, huge};
  const double rates[] = {1, 1, 0.5, 0.5, 0.25, 0.25, 0.125, 0.125, 0.125};
  for (int i = 0; i < 9; ++i) CHECK(schedule.rate(steps[i]) == rates[i]);
  CHECK(hone::milestones<1>{.peak = 1, .at = {1}}.rate(1) == 0.1);
}

TEST_CASE("milestones take a list built at run time") {
  const hone::milestones<3> fixed{.peak = 1, .factor = 0.5, .at = {30, 60, 80}};
  hone::milestones<> copied;
  {
    const std::vector<int> list{30, 60, 80};
    copied = {.peak = 1, .factor = 0.5, .at = list};
  }
  const std::array<std::int64_t, 3> longs{30, 60, 80};
  const hone::milestones<> spanned{.peak = 1, .factor = 0.5, .at = std::span(longs)};
  for (int step = 100; step-- > 0;) {
    CHECK(copied.rate(step) == fixed.rate(step));
    CHECK(spanned.rate(step) == fixed.rate(step));
  }
  CHECK(hone::milestones<>{.peak = 0.25}.rate(huge) == 0.25);
  std::vector<int> most(64);
  std::iota(most.begin(), most.end(), 1);
  CHECK(hone::milestones<>{.peak = 1, .factor = 0.5, .at = most}.rate(64) == 0x1p-64);
  most.push_back(65);
  using support::message;
  CHECK(message([&] { hone::milestones<>{.peak = 1, .at = most}.rate(0); }) ==
        "milestones: at has more than 64 milestones");
  CHECK(message([] { hone::milestones<>{.peak = 1, .at = std::vector<int>{5, 5}}.rate(1); }) ==
        "milestones: milestone 1 is 5, must be above 5");
  CHECK(message([] { hone::milestones<>{.peak = 1, .at = std::vector<int>{0}}.rate(1); }) ==
        "milestones: milestone 0 is 0, must be above 0");
}

TEST_CASE("exponential, step_decay and milestones: invalid arguments throw with the parameter's name") {
  using support::message;
  CHECK(message([] { hone::exponential{.peak = inf}.rate(1); }) == "exponential: peak is inf, must be finite");
  CHECK(message([] { hone::exponential{.peak = 1, .floor = nan}.rate(1); }) ==
        "exponential: floor is nan, must be finite");
  CHECK(message([] { hone::exponential{.peak = 1, .floor = 2}.rate(1); }) ==
        "exponential: peak is 1, must be at least floor");
  for (const double bad : {0.0, -0.5})
    CHECK(
        message([&] { hone::exponential{.peak = 1, .factor = bad}.rate(1); }) ==
        (bad == 0 ? "exponential: factor is 0, must be in (0, 1]" : "exponential: factor is -0.5, must be in (0, 1]"));
  CHECK(message([] { hone::exponential{.peak = 1, .factor = nan}.rate(1); }) ==
        "exponential: factor is nan, must be in (0, 1]");
  CHECK(message([] { hone::step_decay{.peak = 1, .factor = 1.5, .period = 3}.rate(1); }) ==
        "step_decay: factor is 1.5, must be in (0, 1]");
  CHECK(message([] { hone::exponential{.peak = 1, .period = 0}.rate(1); }) ==
        "exponential: period is 0, must be at least 1");
  CHECK(message([] { hone::exponential{.peak = 1}.rate(-1); }) == "exponential: step is -1, must be at least 0");
  CHECK(message([] { hone::step_decay{.peak = 1}.rate(1); }) == "step_decay: period is 0, must be at least 1");
  CHECK(message([] { hone::step_decay{.peak = 1, .period = 3}.rate(-1); }) ==
        "step_decay: step is -1, must be at least 0");
  CHECK(message([] { hone::milestones<1>{.peak = nan, .at = {3}}.rate(1); }) ==
        "milestones: peak is nan, must be finite");
  CHECK(message([] { hone::milestones<1>{.peak = 1, .factor = 0, .at = {3}}.rate(1); }) ==
        "milestones: factor is 0, must be finite and above 0");
  CHECK(message([] { hone::milestones<2>{.peak = 1, .at = {30, 30}}.rate(1); }) ==
        "milestones: milestone 1 is 30, must be above 30");
  CHECK(message([] { hone::milestones<2>{.peak = 1, .at = {30}}.rate(1); }) ==
        "milestones: milestone 1 is 0, must be above 30");
  CHECK(message([] { hone::milestones<1>{.peak = 1}.rate(1); }) == "milestones: milestone 0 is 0, must be above 0");
  CHECK(message([] { hone::milestones<1>{.peak = 1, .at = {3}}.rate(-1); }) ==
        "milestones: step is -1, must be at least 0");
}

}  // namespace
