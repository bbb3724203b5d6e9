// SPDX-License-Identifier: MIT
// The values are those of the formulas in arithmetic of 1000 digits, for parameters that are doubles.
#include <hone/average/ramp.hpp>

#include <support/message.hpp>

#include <doctest/doctest.h>

#include <algorithm>
#include <cmath>
#include <cstdint>
#include <limits>

namespace {

constexpr hone::index many = std::int64_t(1) << 40, most = std::int64_t(1) << 62;
constexpr double denormal = std::numeric_limits<double>::denorm_min();

double error(double is, double should) { return std::abs(is - should) / should; }

}  // namespace

TEST_CASE("exponential_ramp is d (1 - e^(-n/tau)), from the smallest tau to the largest") {
  const struct {
    double tau;
    hone::index n;
    double decay;
  } cases[] = {{2000.0, 1, 0.00049982503332864635962},
               {2000.0, 2000, 0.6320573467726748296},
               {2000.0, many, 0.99990000000000001101},
               {2000.0, most, 0.99990000000000001101},
               {0.5, 1, 0.8645782502917109789},
               {0.5, 2000, 0.99990000000000001101},
               {0.5, many, 0.99990000000000001101},
               {0.5, most, 0.99990000000000001101},
               {0.001, 1, 0.99990000000000001101},
               {0.001, 2000, 0.99990000000000001101},
               {0.001, many, 0.99990000000000001101},
               {0.001, most, 0.99990000000000001101},
               {denormal, 1, 0.99990000000000001101},
               {denormal, 2000, 0.99990000000000001101},
               {denormal, many, 0.99990000000000001101},
               {denormal, most, 0.99990000000000001101},
               {1000000000000.0, 1, 9.9989999999950006101e-13},
               {1000000000000.0, 2000, 1.9997999980002000234e-9},
               {1000000000000.0, many, 0.66689961497673258499},
               {1000000000000.0, most, 0.99990000000000001101},
               {1e+300, 1, 9.9989999999999995851e-301},
               {1e+300, 2000, 1.999799999999999917e-297},
               {1e+300, many, 1.0994016766132223544e-288},
               {1e+300, most, 4.6112248498255449739e-282}};
  double largest = 0;
  for (auto const& c : cases) {
    const double is = hone::exponential_ramp(c.tau).at(0.9999, c.n);
    CAPTURE(c.tau);
    CAPTURE(c.n);
    CHECK(is <= 0.9999);
    CHECK(error(is, c.decay) < 4e-16);
    largest = std::max(largest, error(is, c.decay));
  }
  MESSAGE("largest relative error ", largest);
}

TEST_CASE("inverse_power_ramp is 1 - (1 + n/gamma)^-p, from the smallest gamma and p to the largest") {
  const struct {
    double gamma, power;
    hone::index n;
    double decay;
  } cases[] = {{1.0, 2.0 / 3, 1, 0.37003947505256340146},
               {1.0, 2.0 / 3, 2000, 0.9937024937443856367},
               {1.0, 2.0 / 3, many, 0.999999990612856672},
               {1.0, 2.0 / 3, most, 0.99999999999963906679},
               {1.0, 0.75, 1, 0.40539644249863946664},
               {1.0, 0.75, 2000, 0.99665755181486500212},
               {1.0, 0.75, many, 0.99999999906867742539},
               {1.0, 0.75, most, 0.99999999999998995141},
               {1e-300, 0.5, 1, 1.0},
               {1e-300, 0.5, 2000, 1.0},
               {1e-300, 0.5, many, 1.0},
               {1e-300, 0.5, most, 1.0},
               {1e-280, 0.001, 1, 0.4751925397502274097},
               {1e-280, 0.001, 2000, 0.47916642836358335176},
               {1e-280, 0.001, many, 0.48954342734918231884},
               {1e-280, 0.001, most, 0.49726845104073499298},
               {1000000000000.0, 0.5, 1, 4.99999999999625e-13},
               {1000000000000.0, 0.5, 2000, 9.999999985000000025e-10},
               {1000000000000.0, 0.5, many, 0.30985418645670644467},
               {1000000000000.0, 0.5, most, 0.99953433876317935047},
               {1e+300, 0.5, 1, 4.9999999999999997375e-301},
               {1e+300, 0.5, 2000, 9.999999999999999475e-298},
               {1e+300, 0.5, many, 5.4975581388799997114e-289},
               {1e+300, 0.5, most, 2.3058430092136938309e-282},
               {2.0, 1e-06, 1, 4.0546502590719852692e-7},
               {2.0, 1e-06, 2000, 6.9087309139238799943e-6},
               {2.0, 1e-06, many, 0.000027032374660615025963},
               {2.0, 1e-06, most, 0.000042281084143922512067},
               {1.0, 1e-300, 1, 6.9314718055994532679e-301},
               {1.0, 1e-300, 2000, 7.6014023345837335999e-300},
               {1.0, 1e-300, many, 2.7725887222398722566e-299},
               {1.0, 1e-300, most, 4.2975125194716610261e-299},
               {1.0, 1e+300, 1, 1.0},
               {1.0, 1e+300, 2000, 1.0},
               {1.0, 1e+300, many, 1.0},
               {1.0, 1e+300, most, 1.0}};
  double largest = 0;
  for (auto const& c : cases) {
    const double is = hone::inverse_power_ramp(c.gamma, c.power).at(1, c.n);
    CAPTURE(c.gamma);
    CAPTURE(c.power);
    CAPTURE(c.n);
    CHECK(is <= 1);
    CHECK(error(is, c.decay) < 4e-16);
    largest = std::max(largest, error(is, c.decay));
  }
  MESSAGE("largest relative error ", largest);
}

TEST_CASE("threshold_ramp is (1 + n) / (10 + n), at most d") {
  const hone::decay_ramp ramp = hone::threshold_ramp();
  CHECK(ramp.at(0.9999, 1) == 2.0 / 11);
  CHECK(ramp.at(0.9999, 2) == 0.25);
  CHECK(ramp.at(0.9999, 89) == 90.0 / 99);
  CHECK(ramp.at(0.9999, 89989) == 89990.0 / 89999);  // the last below d
  CHECK(ramp.at(0.9999, 89991) == 0.9999);
  CHECK(ramp.at(1, most) == 1);
}

TEST_CASE("linear_ramp goes from the first decay to d in the given number of updates") {
  for (const double first : {0.0, 0.25, 0.9, 1.0})
    for (const int updates : {1, 2, 7, 1000}) {
      const hone::decay_ramp ramp = hone::linear_ramp(updates, first);
      for (int n = 1; n < updates + 9; ++n) {
        const double expected = n < updates ? first + (0.9 - first) * n / updates : 0.9;
        CHECK(std::abs(ramp.at(0.9, n) - expected) <= 2.3e-16);
        if (n >= updates) CHECK(ramp.at(0.9, n) == 0.9);
      }
    }
  using support::message;
  CHECK(message([] { hone::linear_ramp(0); }) == "linear_ramp: updates is 0, must be at least 1");
  CHECK(message([] { hone::linear_ramp(5, 1.5); }) == "linear_ramp: first is 1.5, must be in [0, 1]");
  CHECK(message([] { hone::linear_ramp(5, std::nan("")); }) == "linear_ramp: first is nan, must be in [0, 1]");
}

TEST_CASE("every ramp is monotonic and ends exactly at d") {
  const hone::decay_ramp ramps[] = {
      hone::exponential_ramp(2000), hone::inverse_power_ramp(1, 2.0 / 3), hone::threshold_ramp(), {}};
  for (auto const& ramp : ramps)
    for (const double d : {0.0, 0.5, 0.999}) {
      CHECK(ramp.at(d, most) == d);
      double last = 0;
      for (hone::index n = 1; n < many; n += 1 + n / 7) {
        const double is = ramp.at(d, n);
        CHECK(is >= last);
        CHECK(is <= d);
        last = is;
      }
    }
  CHECK(hone::decay_ramp().at(0.9, 1) == 0.9);
}

TEST_CASE("ramps: lengths and powers that are not positive throw") {
  using support::message;
  CHECK(message([] { hone::exponential_ramp(0); }) == "exponential_ramp: tau is 0, must be finite and above 0");
  CHECK(message([] { hone::inverse_power_ramp(-1, 1); }) ==
        "inverse_power_ramp: gamma is -1, must be finite and above 0");
  CHECK(message([] { hone::inverse_power_ramp(1, NAN); }) ==
        "inverse_power_ramp: power is nan, must be finite and above 0");
  CHECK(message([] { hone::exponential_ramp(denormal); }) == "");
}
