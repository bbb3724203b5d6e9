// SPDX-License-Identifier: MIT
#include <hone/schedule/constant.hpp>
#include <hone/schedule/cosine.hpp>
#include <hone/schedule/noise.hpp>
#include <hone/schedule/polynomial.hpp>
#include <hone/schedule/scaled_by.hpp>
#include <hone/schedule/sequence.hpp>
#include <hone/schedule/shifted.hpp>
#include <hone/schedule/warmup.hpp>
#include <hone/schedule/warmup_cosine.hpp>

#include "support/message.hpp"

#include <doctest/doctest.h>

#include <algorithm>
#include <cmath>
#include <cstdint>
#include <limits>
#include <vector>

namespace {

constexpr double nan = std::numeric_limits<double>::quiet_NaN();
constexpr std::int64_t huge = std::int64_t{1} << 62;

struct clock {  // the step that it is asked for
  double rate(hone::integer step) const { return static_cast<double>(step); }
};

TEST_CASE("constant is the same at every step") {
  for (const std::int64_t step : {std::int64_t{0}, std::int64_t{5}, huge})
    CHECK(hone::constant{.value = 0.1}.rate(step) == 0.1);
  using support::message;
  CHECK(message([] { hone::constant{.value = nan}.rate(1); }) == "constant: value is nan, must be finite");
  CHECK(message([] { hone::constant{.value = 1}.rate(-1); }) == "constant: step is -1, must be at least 0");
}

TEST_CASE("sequence starts every part at its step 0 and stays in the last") {
  constexpr auto schedule =
      hone::sequence(clock{}, 3, hone::scaled_by(clock{}, 10), 4, clock{}, 0, hone::scaled_by(clock{}, -1));
  static_assert(hone::schedule<decltype(schedule)>);
  const double rates[] = {0, 1, 2, 0, 10, 20, 30, 0, -1, -2};
  for (int step = 9; step >= 0; --step) CHECK(schedule.rate(step) == rates[step]);
  CHECK(schedule.rate(huge) == -static_cast<double>(huge - 7));
  CHECK(hone::sequence(hone::constant{.value = 2}).rate(7) == 2);
  using support::message;
  CHECK(message([] { hone::sequence(clock{}, -1, clock{}).rate(1); }) == "sequence: steps is -1, must be at least 0");
  CHECK(message([] { hone::sequence(clock{}, 1, clock{}).rate(-1); }) == "sequence: step is -1, must be at least 0");
}

TEST_CASE("warmup rises to the first rate and then runs the schedule from its start") {
  const hone::cosine decay{.peak = 0.1, .floor = 0.01, .total = 90};
  const auto warm = hone::warmup(decay, {.start = 0.02, .steps = 10});
  const hone::warmup_cosine whole{.start = 0.02, .peak = 0.1, .floor = 0.01, .warmup = 10, .total = 100};
  for (int step = 0; step < 120; ++step) CHECK(warm.rate(step) == whole.rate(step));
  CHECK(warm.rate(huge) == 0.01);
  const auto burn_in = hone::warmup(hone::constant{.value = 1}, {.steps = 4, .power = 4});
  for (int step = 0; step < 5; ++step) CHECK(burn_in.rate(step) == std::pow(step / 4.0, 4));
  CHECK(hone::warmup(decay, {.start = 7, .steps = 0}).rate(0) == 0.1);
  using support::message;
  CHECK(message([] { hone::warmup(clock{}, {.start = nan, .steps = 1}).rate(1); }) ==
        "warmup: start is nan, must be finite");
  CHECK(message([] { hone::warmup(clock{}, {.steps = -1}).rate(1); }) == "warmup: steps is -1, must be at least 0");
  CHECK(message([] { hone::warmup(clock{}, {.steps = 1, .power = nan}).rate(1); }) ==
        "warmup: power is nan, must be finite and above 0");
  CHECK(message([] { hone::warmup(clock{}, {.steps = 1}).rate(-1); }) == "warmup: step is -1, must be at least 0");
  CHECK(message([] { hone::warmup(hone::cosine{.peak = 1}, {.steps = 5}).rate(1); }) ==
        "cosine: total is 0, must be at least 1");
}

TEST_CASE("scaled_by multiplies, shifted leaves out the first steps") {
  const hone::polynomial line{.peak = 1, .total = 8};
  for (int step = 0; step < 10; ++step) {
    CHECK(hone::scaled_by(line, 0.5).rate(step) == 0.5 * line.rate(step));
    CHECK(hone::shifted(line, 3).rate(step) == line.rate(step + 3));
  }
  CHECK(hone::shifted(clock{}, huge).rate(huge + 5) == static_cast<double>(std::numeric_limits<std::int64_t>::max()));
  const auto first_is_a_fourth = hone::shifted(hone::warmup(hone::constant{.value = 1}, {.steps = 4}), 1);
  for (int step = 0; step < 6; ++step) CHECK(first_is_a_fourth.rate(step) == std::min(1.0, (step + 1) / 4.0));
  using support::message;
  CHECK(message([] { hone::scaled_by(clock{}, nan).rate(1); }) == "scaled_by: factor is nan, must be finite");
  CHECK(message([] { hone::shifted(clock{}, -1).rate(1); }) == "shifted: by is -1, must be at least 0");
  CHECK(message([] { hone::shifted(clock{}, 1).rate(-1); }) == "shifted: step is -1, must be at least 0");
}

TEST_CASE("with_noise depends on the seed and the step alone") {
  const hone::constant one{.value = 1};
  const auto a = hone::with_noise(one, {.seed = 1}), again = hone::with_noise(one, {.seed = 1}),
             b = hone::with_noise(one, {.seed = 2});
  std::vector<double> forth;
  forth.reserve(1000);
  for (int step = 0; step < 1000; ++step) forth.push_back(again.rate(step));
  int same = 0;
  for (int step = 999; step >= 0; --step) {
    CHECK(a.rate(step) == forth[static_cast<std::size_t>(step)]);
    same += a.rate(step) == b.rate(step);
    same += a.rate(step) == a.rate(step + 1);
  }
  CHECK(same == 0);
  // Fixed for ever: a resumed training on another machine meets the same rates. The uniform kind to the bit.
  const auto uniform = hone::with_noise(one, {.limit = 0.5, .seed = 7, .kind = hone::noise_kind::uniform});
  CHECK(uniform.rate(0) == 1.1093945245681751);
  CHECK(uniform.rate(huge) == 0.62518525314692319);
  CHECK(a.rate(3) == doctest::Approx(0.91586637198237797).epsilon(1e-15));
}

TEST_CASE("with_noise stays within its limit and steps, with the moments of its distribution") {
  for (const hone::noise_kind kind : {hone::noise_kind::normal, hone::noise_kind::uniform}) {
    const auto schedule =
        hone::with_noise(hone::constant{.value = 2}, {.limit = 0.67, .from = 1000, .to = 101'000, .kind = kind});
    for (const int step : {0, 999, 101'000}) CHECK(schedule.rate(step) == 2);
    CHECK(schedule.rate(1000) != 2);
    CHECK(schedule.rate(100'999) != 2);
    double mean = 0, square = 0, most = 0;
    for (int step = 1000; step < 101'000; ++step) {
      const double n = schedule.rate(step) / 2 - 1;
      mean += n / 1e5, square += n * n / 1e5, most = std::max(most, std::abs(n));
    }
    CHECK(most <= 0.67);
    CHECK(most > 0.669);
    CHECK(std::abs(mean) < 5e-3);
    // Variance of a standard normal cut at a: 1 - 2 a φ(a) / (2 Φ(a) - 1)
    const double phi = std::exp(-0.67 * 0.67 / 2) / std::sqrt(2 * 3.14159265358979323846),
                 inside = std::erf(0.67 / std::sqrt(2.0));
    const double variance = kind == hone::noise_kind::uniform ? 0.67 * 0.67 / 3 : 1 - 2 * 0.67 * phi / inside;
    CHECK(std::abs(square / variance - 1) < 0.01);
  }
  CHECK(hone::with_noise(hone::constant{.value = 2}, {.limit = 0}).rate(5) == 2);
}

TEST_CASE("with_noise names what is wrong") {
  using support::message;
  CHECK(message([] { hone::with_noise(clock{}, {.limit = nan}).rate(1); }) ==
        "with_noise: limit is nan, must be in [0, 1]");
  CHECK(message([] { hone::with_noise(clock{}, {.limit = 1.5}).rate(1); }) ==
        "with_noise: limit is 1.5, must be in [0, 1]");
  CHECK(message([] { hone::with_noise(clock{}, {.from = -1}).rate(1); }) ==
        "with_noise: from is -1, must be at least 0");
  CHECK(message([] { hone::with_noise(clock{}, {.from = 5, .to = 4}).rate(1); }) ==
        "with_noise: to is 4, must be at least from");
  const auto neither = hone::noise_kind{9};  // NOLINT(clang-analyzer-optin.core.EnumCastOutOfRange)
  CHECK(message([&] { hone::with_noise(clock{}, {.kind = neither}).rate(1); }) ==
        "with_noise: kind is 9, must be normal or uniform");
  CHECK(message([] { hone::with_noise(hone::constant{.value = 1}).rate(-1); }) ==
        "constant: step is -1, must be at least 0");
}

}  // namespace
