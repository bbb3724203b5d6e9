// SPDX-License-Identifier: MIT
#include <hone/gradient/loss_scaler.hpp>

#include <support/message.hpp>

#include <doctest/doctest.h>

#include <cmath>
#include <vector>

namespace {

std::vector<double> scales(hone::loss_scaler scaler, std::vector<bool> const& finite) {
  std::vector<double> all;
  for (const bool f : finite) scaler.update(f), all.push_back(scaler.scale());
  return all;
}

using numbers = std::vector<double>;

}  // namespace

TEST_CASE("loss_scaler grows after an interval of finite steps in a row, and backs off at once") {
  CHECK(hone::loss_scaler{}.scale() == 65536);
  CHECK(scales({.initial = 8, .interval = 3}, {true, true, true, true, true, true}) == numbers{8, 8, 16, 16, 16, 32});
  CHECK(scales({.initial = 8, .interval = 2}, {true, false, true, true, false}) == numbers{8, 4, 4, 8, 4});
  CHECK(scales({.initial = 8, .growth = 4, .backoff = 0.25, .interval = 1}, {true, false, false}) == numbers{32, 8, 2});
}

TEST_CASE("loss_scaler with hysteresis tolerates that many non-finite steps before it backs off") {
  CHECK(scales({.initial = 8, .interval = 9, .hysteresis = 2}, {false, true, false, false, false, true, false}) ==
        numbers{8, 8, 8, 4, 2, 2, 2});
  CHECK(scales({.initial = 8, .interval = 2, .hysteresis = 2}, {true, false, true, true}) == numbers{8, 8, 8, 16});
}

TEST_CASE("loss_scaler stays within its limits, and does not move an initial scale outside them") {
  CHECK(scales({.initial = 8, .interval = 1, .minimum = 4, .maximum = 16}, {true, true, false, false, false}) ==
        numbers{16, 16, 8, 4, 4});
  CHECK(scales({.initial = 64, .interval = 1, .maximum = 16}, {true, false}) == numbers{64, 32});
  CHECK(scales({.initial = 0x1p127, .interval = 1}, {true}) == numbers{0x1p127});
  CHECK(scales({.initial = 0x1p-126}, {false}) == numbers{0x1p-126});
}

TEST_CASE("loss_scaler with factors of 1 is constant, and continues from a copied state") {
  CHECK(scales({.initial = 128, .growth = 1, .backoff = 1, .interval = 1}, {true, false, true}) ==
        numbers{128, 128, 128});
  hone::loss_scaler first{.initial = 8, .interval = 3};
  first.update(true), first.update(true);
  hone::loss_scaler second{.initial = 8, .interval = 3};
  second.state = first.state;
  second.update(true);
  CHECK(second.scale() == 16);
}

TEST_CASE("loss_scaler: invalid options throw at update") {
  const auto of = [](hone::loss_scaler scaler) { return support::message([&] { scaler.update(true); }); };
  CHECK(of({.initial = 0}) == "loss_scaler: initial is 0, must be above 0 and finite");
  CHECK(of({.initial = std::nan("")}) == "loss_scaler: initial is nan, must be above 0 and finite");
  CHECK(of({.growth = -1}) == "loss_scaler: growth is -1, must be at least 1 and finite");
  CHECK(of({.backoff = 0}) == "loss_scaler: backoff is 0, must be in (0, 1]");
  CHECK(of({.interval = 0}) == "loss_scaler: interval is 0, must be at least 1");
  CHECK(of({.hysteresis = 0}) == "loss_scaler: hysteresis is 0, must be at least 1");
  CHECK(of({.minimum = 8, .maximum = 4}) == "loss_scaler: minimum is 8, must be above 0 and at most maximum");
}
