// SPDX-License-Identifier: MIT
#include <hone/schedule/linear_scaling.hpp>

#include "support/message.hpp"

#include <doctest/doctest.h>

#include <limits>

namespace {

TEST_CASE("linear_scaled_rate scales with the batch size") {
  CHECK(hone::linear_scaled_rate(0.1, 256) == 0.1);
  CHECK(hone::linear_scaled_rate(0.1, 512) == 0.2);
  CHECK(hone::linear_scaled_rate(0.1f, 128u) == 0.1f / 2);
  CHECK(hone::linear_scaled_rate(1, 96, 64) == 1.5);
}

TEST_CASE("linear_scaled_rate: invalid arguments throw with the parameter's name") {
  using support::message;
  CHECK(message([] { hone::linear_scaled_rate(std::numeric_limits<double>::quiet_NaN(), 32); }) ==
        "linear_scaled_rate: base_rate is nan, must be finite");
  CHECK(message([] { hone::linear_scaled_rate(0.1, 0); }) == "linear_scaled_rate: batch_size is 0, must be at least 1");
  CHECK(message([] { hone::linear_scaled_rate(0.1, 32, -256); }) ==
        "linear_scaled_rate: base_batch is -256, must be at least 1");
}

}  // namespace
