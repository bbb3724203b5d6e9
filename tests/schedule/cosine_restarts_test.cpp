// SPDX-License-Identifier: MIT
#include <hone/schedule/cosine_restarts.hpp>

#include "support/message.hpp"

#include <doctest/doctest.h>

#include <cmath>
#include <cstdint>
#include <cstdio>
#include <limits>
#include <numbers>
#include <string>

namespace {

constexpr double inf = std::numeric_limits<double>::infinity(), nan = std::numeric_limits<double>::quiet_NaN();
constexpr std::int64_t last = std::numeric_limits<std::int64_t>::max();

double half_cosine(double peak, double floor, long double x, long double length) {
  return static_cast<double>(floor + (static_cast<long double>(peak) - floor) *
                                         (1 + std::cos(std::numbers::pi_v<long double> * x / length)) / 2);
}

// Walks from cycle to cycle, as one would by hand.
double walk(const hone::cosine_restarts& s, std::int64_t step) {
  long double begin = 0, length = static_cast<long double>(s.period.value);
  double peak = s.peak;
  while (static_cast<long double>(step) >= begin + length * (1 - 1e-15L)) {
    begin += length;
    length *= static_cast<long double>(s.factor.value);
    peak *= s.decay;
  }
  return half_cosine(peak, s.floor, static_cast<long double>(step) - begin, length);
}

std::string text(double x) {
  char buffer[32];
  std::snprintf(buffer, sizeof buffer, "%.9g", x);
  return buffer;
}

TEST_CASE("cosine_restarts follows the formula for whole factors") {
  for (const double factor : {1.0, 2.0, 3.0, 10.0})
    for (const double decay : {1.0, 0.5, 0.8})
      for (const std::int64_t period : {1, 2, 7, 13}) {
        const hone::cosine_restarts schedule{
            .peak = 0.1, .floor = 1e-3, .period = period, .factor = factor, .decay = decay};
        for (std::int64_t step = 0; step < 500; ++step)
          CHECK(std::abs(schedule.rate(step) - walk(schedule, step)) <= 1e-15);
      }
}

TEST_CASE("cosine_restarts follows the formula for other factors") {
  for (const double factor : {1.5, 1.25, 2.5, 1.001, 3.7, 1.1})
    for (const double decay : {1.0, 0.9})
      for (const std::int64_t period : {1, 2, 10, 64}) {
        const hone::cosine_restarts schedule{
            .peak = 1, .floor = 0.25, .period = period, .factor = factor, .decay = decay};
        for (std::int64_t step = 0; step < 400; ++step)
          CHECK(std::abs(schedule.rate(step) - walk(schedule, step)) <= 1e-11);
      }
}

TEST_CASE("cosine_restarts is exactly the peak at every restart, however late") {
  const hone::cosine_restarts same{.peak = 0.1, .period = 7};
  for (std::int64_t i = 0; i < 100'000; ++i) CHECK(same.rate(7 * i) == 0.1);
  CHECK(same.rate(last - last % 7) == 0.1);

  const hone::cosine_restarts doubling{.peak = 0.1, .period = 3, .factor = 2};
  std::int64_t begin = 0, length = 3;
  for (; begin < last / 4; begin += length, length *= 2) {
    CHECK(doubling.rate(begin) == 0.1);
    if (begin > 0 && begin < 1'000'000'000) CHECK(doubling.rate(begin - 1) < 0.08);
  }
}

TEST_CASE("cosine_restarts restarts at whole steps if a decimal factor gives them") {
  const hone::cosine_restarts schedule{.peak = 0.1, .period = 100, .factor = 1.1};  // 100, 110, 121 steps
  for (const int step : {0, 100, 210, 331}) CHECK(schedule.rate(step) == 0.1);
  for (const int step : {99, 209, 330}) CHECK(schedule.rate(step) < 1e-4);
}

TEST_CASE("cosine_restarts starts cycle i at peak times decay to the i") {
  const hone::cosine_restarts schedule{.peak = 1, .floor = 0.125, .period = 4, .factor = 2, .decay = 0.5};
  CHECK(schedule.rate(0) == 1);
  CHECK(schedule.rate(4) == 0.5);
  CHECK(schedule.rate(12) == 0.25);
  CHECK(schedule.rate(28) == 0.125);
  CHECK(schedule.rate(40) == 0.125);   // the peak is the floor
  CHECK(schedule.rate(60) == 0.0625);  // and then below it
}

TEST_CASE("cosine_restarts with shrinking cycles ends on the floor") {
  const hone::cosine_restarts schedule{.peak = 1, .floor = 0.25, .period = 16, .factor = 0.5};  // 16, 8, 4, 2, 1, ½ …
  for (const int step : {0, 16, 24, 28, 30, 31}) CHECK(schedule.rate(step) == 1);
  CHECK(schedule.rate(20) == doctest::Approx(0.625).epsilon(1e-14));
  CHECK(schedule.rate(29) == doctest::Approx(0.625).epsilon(1e-13));
  for (const std::int64_t step : {std::int64_t{32}, std::int64_t{33}, last}) CHECK(schedule.rate(step) == 0.25);

  const hone::cosine_restarts abrupt{.peak = 1, .floor = 0.25, .period = 4, .factor = 1e-300};
  CHECK(abrupt.rate(3) > 0.25);
  CHECK(abrupt.rate(4) == 0.25);

  const hone::cosine_restarts tenth{.peak = 1, .floor = 0.25, .period = 1, .factor = 0.9};  // 1 - 0.9 < 0.1
  CHECK(tenth.rate(9) > 0.25);
  CHECK(tenth.rate(10) == 0.25);

  const hone::cosine_restarts slow{.peak = 1, .period = 1, .factor = 1 - 0x1p-20};
  for (const std::int64_t step : {0, 1, 1000, (1 << 20) - 1}) CHECK(slow.rate(step) <= 1);
  CHECK(slow.rate(1 << 20) == 0);
}

TEST_CASE("cosine_restarts with huge arguments stays exact or below the peak") {
  CHECK(hone::cosine_restarts{.peak = 1, .period = 2, .factor = 1e300, .decay = 0.5}.rate(2) == 0.5);
  CHECK(hone::cosine_restarts{.peak = 1, .period = 2, .factor = 1e300}.rate(last) == 1);
  CHECK(hone::cosine_restarts{.peak = 1, .period = last, .factor = 3}.rate(last) == 1);
  CHECK(hone::cosine_restarts{.peak = 1, .period = 1, .factor = 2}.rate(last) == 1);  // 2^63 - 1 begins cycle 63
  const double above_one = 1 + std::numeric_limits<double>::epsilon();
  CHECK(hone::cosine_restarts{.peak = 1, .period = 1, .factor = above_one}.rate(last) <= 1);
}

TEST_CASE("cosine_restarts: invalid arguments throw with the parameter's name") {
  using support::message;
  CHECK(message([] { hone::cosine_restarts{.peak = inf, .period = 10}.rate(1); }) ==
        "cosine_restarts: peak is inf, must be finite");
  CHECK(message([] { hone::cosine_restarts{.peak = 1, .floor = nan, .period = 10}.rate(1); }) ==
        "cosine_restarts: floor is nan, must be finite");
  CHECK(message([] { hone::cosine_restarts{.peak = 1, .period = 0}.rate(1); }) ==
        "cosine_restarts: period is 0, must be at least 1");
  for (const double bad : {0.0, -1.0, nan, inf}) {
    CAPTURE(bad);
    CHECK(message([&] { hone::cosine_restarts{.peak = 1, .period = 10, .factor = bad}.rate(1); }) ==
          "cosine_restarts: factor is " + text(bad) + ", must be finite and above 0");
    CHECK(message([&] { hone::cosine_restarts{.peak = 1, .period = 10, .decay = bad}.rate(1); }) ==
          "cosine_restarts: decay is " + text(bad) + ", must be finite and above 0");
  }
  CHECK(message([] { hone::cosine_restarts{.peak = 1, .period = 10}.rate(-1); }) ==
        "cosine_restarts: step is -1, must be at least 0");
}

}  // namespace
