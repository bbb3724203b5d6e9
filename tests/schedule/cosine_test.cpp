// SPDX-License-Identifier: MIT
#include <hone/schedule/cosine.hpp>

#include "support/message.hpp"

#include <doctest/doctest.h>

#include <cmath>
#include <cstdint>
#include <limits>
#include <numbers>

namespace {

constexpr double inf = std::numeric_limits<double>::infinity(), nan = std::numeric_limits<double>::quiet_NaN();

// The formula as the paper writes it.
double reference(double peak, double floor, std::int64_t total, std::int64_t step) {
  if (step >= total) return floor;
  const long double turn =
      std::numbers::pi_v<long double> * static_cast<long double>(step) / static_cast<long double>(total);
  return static_cast<double>(floor + (static_cast<long double>(peak) - floor) * (1 + std::cos(turn)) / 2);
}

TEST_CASE("cosine follows the formula") {
  for (const double peak : {0.1, 1.0, 3e-4})
    for (const double floor : {0.0, 1e-6, 0.5})
      for (const std::int64_t total : {1, 2, 7, 1000})
        for (std::int64_t step = 0; step <= 2 * total; ++step) {
          const double rate = hone::cosine{.peak = peak, .floor = floor, .total = total}.rate(step);
          CHECK(std::abs(rate - reference(peak, floor, total, step)) <= 4e-16 * (peak + floor));
        }
}

TEST_CASE("cosine keeps its relative accuracy down to the last step") {
  const hone::cosine schedule{.peak = 1, .total = 1'000'000};
  for (const std::int64_t left : {1, 2, 3, 10, 1000}) {
    const long double s = std::sin(std::numbers::pi_v<long double> / 2 * static_cast<long double>(left) / 1e6L);
    CHECK(std::abs(schedule.rate(1'000'000 - left) / static_cast<double>(s * s) - 1) <= 1e-15);
  }
}

TEST_CASE("cosine is exact at both ends and stays between them") {
  const hone::cosine schedule{.peak = 0.1, .floor = 1e-6, .total = 333};
  CHECK(schedule.rate(0) == 0.1);
  CHECK(schedule.rate(333) == 1e-6);
  CHECK(schedule.rate(std::numeric_limits<std::int64_t>::max()) == 1e-6);
  for (int step = 1; step <= 333; ++step) CHECK(schedule.rate(step) < schedule.rate(step - 1));
  for (const int step : {0, 1, 5, 9, 10}) CHECK(hone::cosine{.peak = 0.3, .floor = 0.3, .total = 10}.rate(step) == 0.3);
}

TEST_CASE("cosine rises if the peak is below the floor, and never overflows") {
  const hone::cosine momentum{.peak = 0.5, .floor = 1, .total = 2};
  CHECK(momentum.rate(1) == doctest::Approx(0.75).epsilon(1e-15));
  const double most = std::numeric_limits<double>::max();
  CHECK(std::isfinite(hone::cosine{.peak = most, .floor = -most, .total = 3}.rate(1)));
}

TEST_CASE("cosine takes every arithmetic type") {
  const hone::cosine schedule{.peak = 1, .floor = 0.5f, .total = 4u};
  CHECK(schedule.rate(short{0}) == 1);
  CHECK(schedule.rate(4ul) == 0.5);
}

TEST_CASE("cosine: invalid arguments throw with the parameter's name") {
  using support::message;
  CHECK(message([] { hone::cosine{.peak = nan, .total = 10}.rate(1); }) == "cosine: peak is nan, must be finite");
  CHECK(message([] { hone::cosine{.peak = 1, .floor = -inf, .total = 10}.rate(1); }) ==
        "cosine: floor is -inf, must be finite");
  CHECK(message([] { hone::cosine{.peak = 1, .total = 0}.rate(1); }) == "cosine: total is 0, must be at least 1");
  CHECK(message([] { hone::cosine{.peak = 1, .total = -1}.rate(1); }) == "cosine: total is -1, must be at least 1");
  CHECK(message([] { hone::cosine{.peak = 1, .total = 10}.rate(-1); }) == "cosine: step is -1, must be at least 0");
}

}  // namespace
