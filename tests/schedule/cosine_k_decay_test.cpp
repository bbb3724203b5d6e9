// SPDX-License-Identifier: MIT
#include <hone/schedule/cosine_k_decay.hpp>

#include "support/message.hpp"

#include <doctest/doctest.h>

#include <cmath>
#include <cstdint>
#include <limits>
#include <numbers>

namespace {

constexpr double inf = std::numeric_limits<double>::infinity(), nan = std::numeric_limits<double>::quiet_NaN();
constexpr std::int64_t huge = std::int64_t{1} << 62;

TEST_CASE("cosine_k_decay follows the formula") {
  for (const double k : {0.5, 1.0, 1.5, 3.0})
    for (const double floor : {0.0, 1e-3})
      for (const std::int64_t total : {1, 2, 7, 400})
        for (std::int64_t step = 0; step <= total + 1; ++step) {
          const double rate = hone::cosine_k_decay{.peak = 0.1, .floor = floor, .k = k, .total = total}.rate(step);
          const long double x = step < total ? static_cast<long double>(step) / static_cast<long double>(total) : 1;
          const long double cosine =
              std::cos(std::numbers::pi_v<long double> * std::pow(x, static_cast<long double>(k)));
          CHECK(std::abs(rate - static_cast<double>(floor + (0.1L - floor) * (1 + cosine) / 2)) <= 1e-16);
        }
}

TEST_CASE("cosine_k_decay is exact at its ends and keeps its relative accuracy down to the last step") {
  for (const double k : {0.5, 1.0, 4.0}) {
    const hone::cosine_k_decay schedule{.peak = 0.1, .floor = 1e-6, .k = k, .total = 333};
    CHECK(schedule.rate(0) == 0.1);
    for (int step = 1; step <= 333; ++step) CHECK(schedule.rate(step) <= schedule.rate(step - 1));
    for (const std::int64_t step : {std::int64_t{333}, huge}) CHECK(schedule.rate(step) == 1e-6);
  }
  const long double s = std::sin(std::numbers::pi_v<long double> / 2 * (2e-6L - 1e-12L));
  const hone::cosine_k_decay late{.peak = 1, .k = 2, .total = 1'000'000};
  CHECK(std::abs(late.rate(999'999) / static_cast<double>(s * s) - 1) <= 1e-15);
}

TEST_CASE("cosine_k_decay with k = 1 is a cosine, and rises if the peak is below the floor") {
  const hone::cosine plain{.peak = 0.1, .floor = 0.01, .total = 90};
  const hone::cosine_k_decay one{.peak = 0.1, .floor = 0.01, .total = 90};
  for (int step = 0; step < 95; ++step) CHECK(std::abs(one.rate(step) - plain.rate(step)) <= 2e-17);
  CHECK(hone::cosine_k_decay{.peak = 0.5, .floor = 1, .k = 2, .total = 9}.rate(5) > 0.5);
}

TEST_CASE("cosine_k_decay: invalid arguments throw with the parameter's name") {
  using support::message;
  CHECK(message([] { hone::cosine_k_decay{.peak = nan, .total = 9}.rate(1); }) ==
        "cosine_k_decay: peak is nan, must be finite");
  CHECK(message([] { hone::cosine_k_decay{.peak = 1, .floor = inf, .total = 9}.rate(1); }) ==
        "cosine_k_decay: floor is inf, must be finite");
  CHECK(message([] { hone::cosine_k_decay{.peak = 1, .k = 0, .total = 9}.rate(1); }) ==
        "cosine_k_decay: k is 0, must be finite and above 0");
  CHECK(message([] { hone::cosine_k_decay{.peak = 1, .k = nan, .total = 9}.rate(1); }) ==
        "cosine_k_decay: k is nan, must be finite and above 0");
  CHECK(message([] { hone::cosine_k_decay{.peak = 1}.rate(1); }) == "cosine_k_decay: total is 0, must be at least 1");
  CHECK(message([] { hone::cosine_k_decay{.peak = 1, .total = 9}.rate(-1); }) ==
        "cosine_k_decay: step is -1, must be at least 0");
}

}  // namespace
