// SPDX-License-Identifier: MIT
#include <hone/schedule/polynomial.hpp>

#include "support/message.hpp"

#include <doctest/doctest.h>

#include <cmath>
#include <cstdint>
#include <limits>

namespace {

constexpr double inf = std::numeric_limits<double>::infinity(), nan = std::numeric_limits<double>::quiet_NaN();
constexpr std::int64_t huge = std::int64_t{1} << 62;

TEST_CASE("polynomial follows the formula") {
  for (const double power : {0.5, 0.9, 1.0, 2.0, 3.0})
    for (const double floor : {0.0, 0.02, 0.3})
      for (const std::int64_t total : {1, 3, 50})
        for (std::int64_t step = 0; step <= total + 1; ++step) {
          const double rate = hone::polynomial{.peak = 0.1, .floor = floor, .power = power, .total = total}.rate(step);
          const long double left =
              step < total ? 1 - static_cast<long double>(step) / static_cast<long double>(total) : 0;
          CHECK(std::abs(rate - static_cast<double>(floor + (0.1L - floor) * std::pow(left, power))) <= 1e-16);
        }
}

TEST_CASE("polynomial is exact at its ends, falls between them and stays at the floor") {
  for (const double power : {0.5, 1.0, 2.0}) {
    const hone::polynomial schedule{.peak = 0.1, .floor = 0.003, .power = power, .total = 37};
    CHECK(schedule.rate(0) == 0.1);
    for (int step = 1; step <= 37; ++step) CHECK(schedule.rate(step) < schedule.rate(step - 1));
    for (const std::int64_t step : {std::int64_t{37}, std::int64_t{38}, huge}) CHECK(schedule.rate(step) == 0.003);
  }
  CHECK(hone::polynomial{.peak = 1, .total = 4}.rate(1) == 0.75);
  CHECK(hone::polynomial{.peak = 0, .floor = 1, .total = 4}.rate(1) == 0.25);  // rises
}

TEST_CASE("polynomial: invalid arguments throw with the parameter's name") {
  using support::message;
  CHECK(message([] { hone::polynomial{.peak = nan, .total = 9}.rate(1); }) ==
        "polynomial: peak is nan, must be finite");
  CHECK(message([] { hone::polynomial{.peak = 1, .floor = -inf, .total = 9}.rate(1); }) ==
        "polynomial: floor is -inf, must be finite");
  CHECK(message([] { hone::polynomial{.peak = 1, .power = 0, .total = 9}.rate(1); }) ==
        "polynomial: power is 0, must be finite and above 0");
  CHECK(message([] { hone::polynomial{.peak = 1, .power = nan, .total = 9}.rate(1); }) ==
        "polynomial: power is nan, must be finite and above 0");
  CHECK(message([] { hone::polynomial{.peak = 1}.rate(1); }) == "polynomial: total is 0, must be at least 1");
  CHECK(message([] { hone::polynomial{.peak = 1, .total = 9}.rate(-1); }) ==
        "polynomial: step is -1, must be at least 0");
}

}  // namespace
