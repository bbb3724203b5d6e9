// SPDX-License-Identifier: MIT
#include <hone/average/ema.hpp>
#include <hone/average/swa.hpp>

#include "support/message.hpp"

#include <doctest/doctest.h>

#include <algorithm>
#include <cmath>
#include <cstdint>
#include <limits>

namespace {

constexpr double inf = std::numeric_limits<double>::infinity(), nan = std::numeric_limits<double>::quiet_NaN();

double relative(double is, long double should) {
  return static_cast<double>(std::abs(static_cast<long double>(is) - should) / should);
}

TEST_CASE("ramps follow their formulas, however large n is") {
  const hone::ema exponential{.decay = 0.9999, .ramp = hone::exponential_ramp(2000)},
      power{.decay = 0.9999, .ramp = hone::inverse_power_ramp(2, 0.75)},
      threshold{.decay = 0.9, .ramp = hone::threshold_ramp()}, plain{.decay = 0.9};
  for (std::int64_t n = 1; n < std::int64_t(1) << 52; n += 1 + n / 3) {
    const auto x = static_cast<long double>(n);
    CHECK(relative(exponential.decay_at(n), 0.9999L * (1 - std::exp(-x / 2000))) < 1e-13);
    CHECK(relative(power.decay_at(n), std::min(0.9999L, 1 - std::pow(1 + x / 2, -0.75L))) < 1e-13);
    CHECK(relative(threshold.decay_at(n), std::min(0.9L, (1 + x) / (10 + x))) < 1e-15);
    CHECK(plain.decay_at(n) == 0.9);
    CHECK(plain.at(n).weight == 1 - 0.9);
    CHECK_FALSE(plain.at(n).anew);
  }
}

TEST_CASE("slow ramps keep full accuracy at their first updates") {
  const auto exponential = hone::ema{.decay = 1, .ramp = hone::exponential_ramp(1e12)};
  const auto power = hone::ema{.decay = 1, .ramp = hone::inverse_power_ramp(1e12, 0.5)};
  for (const int n : {1, 3, 1000}) {
    const long double x = n * 1e-12L;
    CHECK(relative(exponential.decay_at(n), x - x * x / 2 + x * x * x / 6) < 1e-15);
    CHECK(relative(power.decay_at(n), x / 2 - x * x * 3 / 8) < 1e-15);
  }
}

TEST_CASE("least_decay bounds the decay from below, except for updates that copy") {
  const hone::ema bound{
      .decay = 0.9, .ramp = hone::threshold_ramp(), .update_after = 2, .cycle = 100, .least_decay = 0.5},
      free{.decay = 0.9, .ramp = hone::threshold_ramp(), .update_after = 2, .cycle = 100};
  for (int n = 1; n <= 2; ++n) CHECK(bound.decay_at(n) == 0);
  for (int n = 3; n < 300; ++n) {
    CHECK(bound.decay_at(n) == std::max(0.5, free.decay_at(n)));
    CHECK(bound.at(n).anew == free.at(n).anew);
  }
  CHECK(hone::ema{.decay = 0.9, .least_decay = 0.9}.decay_at(1) == 0.9);
  using support::message;
  for (const double bad : {-0.1, 0.91, inf, nan})
    CHECK(
        message([&] { hone::ema{.decay = 0.9, .least_decay = bad}.decay_at(1); }).starts_with("ema: least_decay is "));
}

TEST_CASE("the ramp begins after update_after updates") {
  const hone::ema late{.decay = 0.9, .ramp = hone::threshold_ramp(), .update_after = 3};
  for (const int n : {1, 2, 3}) CHECK(late.at(n).weight == 1);
  CHECK(late.decay_at(3) == 0);
  CHECK(late.decay_at(4) == 2.0 / 11);
  CHECK(late.decay_at(5) == 3.0 / 12);
}

TEST_CASE("an average and its ramp start again after every cycle") {
  const hone::ema cycles{.decay = 0.9, .ramp = hone::threshold_ramp(), .update_after = 2, .cycle = 3};
  const double decays[] = {0, 0, 2.0 / 11, 3.0 / 12, 4.0 / 13, 2.0 / 11, 3.0 / 12, 4.0 / 13, 2.0 / 11};
  for (int n = 1; n <= 9; ++n) {
    CAPTURE(n);
    CHECK(cycles.decay_at(n) == decays[n - 1]);
    CHECK(cycles.at(n).anew == (n == 6 || n == 9));
  }
  CHECK(hone::ema{.cycle = 1}.at(2).anew);
  const hone::ema never{.decay = 0.5, .update_after = 1, .cycle = std::numeric_limits<std::int64_t>::max()};
  for (const int n : {1, 2, 3}) CHECK_FALSE(never.at(n).anew);
  CHECK_FALSE(hone::ema{.update_after = std::numeric_limits<std::int64_t>::max(), .cycle = 1}.at(2).anew);
}

TEST_CASE("swa gives update n a weight of 1/n") {
  for (const int n : {1, 2, 3, 1000}) {
    CHECK(hone::swa{}.at(n).weight == 1.0 / n);
    CHECK_FALSE(hone::swa{}.at(n).anew);
  }
}

TEST_CASE("averages and ramps: invalid arguments throw with the parameter's name") {
  using support::message;
  const hone::ema below{.decay = -0.1}, above{.decay = 1.1}, unknown{.decay = nan};
  CHECK(message([&] { below.at(1); }) == "ema: decay is -0.1, must be in [0, 1]");
  CHECK(message([&] { above.decay_at(1); }) == "ema: decay is 1.1, must be in [0, 1]");
  CHECK(message([&] { unknown.at(1); }) == "ema: decay is nan, must be in [0, 1]");
  CHECK(message([] { hone::ema{.update_after = -1}.at(1); }) == "ema: update_after is -1, must be at least 0");
  CHECK(message([] { hone::ema{.cycle = -2}.at(1); }) == "ema: cycle is -2, must be at least 0");
  CHECK(message([] { hone::ema{}.at(0); }) == "ema: the number of the update is 0, must be at least 1");
  CHECK(message([] { hone::swa{}.at(0); }) == "swa: the number of the update is 0, must be at least 1");
  for (const double edge : {0.0, 1.0}) CHECK(hone::ema{.decay = edge}.decay_at(1) == edge);
  for (const double bad : {0.0, -1.0, nan, inf}) {
    CAPTURE(bad);
    CHECK(message([&] { hone::exponential_ramp(bad); }).starts_with("exponential_ramp: tau is "));
    CHECK(message([&] { hone::inverse_power_ramp(bad, 1); }).starts_with("inverse_power_ramp: gamma is "));
    CHECK(message([&] { hone::inverse_power_ramp(1, bad); }).starts_with("inverse_power_ramp: power is "));
  }
}

}  // namespace
