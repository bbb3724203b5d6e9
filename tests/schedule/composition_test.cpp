// SPDX-License-Identifier: MIT
#include <hone/schedule/constant.hpp>
#include <hone/schedule/cosine.hpp>
#include <hone/schedule/inverse_square_root.hpp>
#include <hone/schedule/noise.hpp>
#include <hone/schedule/one_cycle.hpp>
#include <hone/schedule/polynomial.hpp>
#include <hone/schedule/scaled_by.hpp>
#include <hone/schedule/sequence.hpp>
#include <hone/schedule/shifted.hpp>
#include <hone/schedule/warmup.hpp>
#include <hone/schedule/warmup_cosine.hpp>
#include <hone/schedule/wsd.hpp>

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

TEST_CASE("sequence throws for an invalid part at its first step, not when the part begins") {
  using support::message;
  const hone::constant good{.value = 1};
  const hone::cosine bad{.peak = 0.1};
  const auto last = hone::sequence(good, 90'000, bad);
  const auto middle = hone::sequence(good, 3, hone::scaled_by(bad, 2), 4, good, 5, good);
  const auto steps = hone::sequence(good, 3, good, -4, good);
  for (const std::int64_t step : {0, 1, 2}) {
    CHECK(message([&] { last.rate(step); }) == "cosine: total is 0, must be at least 1");
    CHECK(message([&] { middle.rate(step); }) == "cosine: total is 0, must be at least 1");
    CHECK(message([&] { steps.rate(step); }) == "sequence: steps is -4, must be at least 0");
  }
  CHECK(message([&] { hone::warmup(last, {.steps = 10}).rate(0); }) == "cosine: total is 0, must be at least 1");
  CHECK(middle.rate(7) == 1);                                 // it is over
  CHECK(hone::sequence(good, 3, bad, 0, good).rate(0) == 1);  // it is left out
  CHECK(hone::sequence(bad, 0, good).rate(0) == 1);
}

TEST_CASE("schedules of two phases stay between their rates at every step, also above 2^53") {
  constexpr std::int64_t last = std::numeric_limits<std::int64_t>::max();
  for (const std::int64_t total :
       {std::int64_t(1) << 53, (std::int64_t(1) << 53) + 1, (std::int64_t(1) << 54) + 3, huge + 1, last - 1, last})
    for (const std::int64_t left : {0, 1, 2, 3, 511, 1025})
      for (std::int64_t back = -2; back < left + 4; back += left > 100 && back == 3 ? left - 6 : 1) {
        const std::int64_t begin = total - left, step = back < total - last ? last : total - back;
        CAPTURE(total);
        CAPTURE(left);
        CAPTURE(step);
        const double rates[] = {
            hone::one_cycle{.start = 0.5, .peak = 1, .floor = 0.25, .rise = begin, .total = total}.rate(step),
            hone::warmup_cosine{.start = 0.5, .peak = 1, .floor = 0.25, .warmup = begin, .total = total}.rate(step),
            hone::wsd{.start = 0.5, .peak = 1, .floor = 0.25, .warmup = begin, .decay = left, .total = total}.rate(
                step),
            hone::cosine{.peak = 1, .floor = 0.25, .total = total}.rate(step),
            hone::polynomial{.peak = 1, .floor = 0.25, .power = 0.5, .total = total}.rate(step),
            hone::sequence(hone::constant{.value = 1}, begin, hone::cosine{.peak = 1, .floor = 0.25, .total = left + 1})
                .rate(step),
            hone::warmup(hone::cosine{.peak = 1, .floor = 0.25, .total = left + 1}, {.start = 0.5, .steps = begin})
                .rate(step)};
        for (const double rate : rates) {
          CHECK(rate >= 0.25);
          CHECK(rate <= 1);
        }
        if (step >= total)
          for (int i = 0; i < 5; ++i) CHECK(rates[i] == 0.25);
        if (step == begin && left > 0)
          for (int i = 0; i < 3; ++i) CHECK(rates[i] == 1);
      }
}

TEST_CASE("inverse_square_root rises to its peak and then falls with the inverse square root") {
  for (const std::int64_t warmup : {1, 2, 10, 4000})
    for (std::int64_t step = 0; step < 3 * warmup + 50; ++step) {
      const hone::inverse_square_root schedule{.start = 0.01, .peak = 0.5, .warmup = warmup};
      const double t = static_cast<double>(step), w = static_cast<double>(warmup),
                   expected = step < warmup ? 0.01 + 0.49 * t / w : 0.5 * std::sqrt(w / t);
      CHECK(std::abs(schedule.rate(step) - expected) <= 1e-15);
    }
  // The paper's own words, of width 512 and steps from 1.
  const double w = 4000;
  const auto noam = hone::shifted(hone::inverse_square_root{.peak = 1 / std::sqrt(512. * w), .warmup = 4000}, 1);
  for (int step = 0; step < 20'000; step += 7) {
    const double t = step + 1.0, expected = std::min(1 / std::sqrt(t), t * std::pow(w, -1.5)) / std::sqrt(512.);
    CHECK(noam.rate(step) == doctest::Approx(expected).epsilon(1e-13));
  }
  CHECK(hone::inverse_square_root{.peak = 1, .warmup = 4}.rate(16) == 0.5);
  CHECK(hone::inverse_square_root{.peak = 1, .warmup = 4}.rate(huge) == 0x1p-30);
  using support::message;
  CHECK(message([] { hone::inverse_square_root{.start = nan, .warmup = 1}.rate(0); }) ==
        "inverse_square_root: start is nan, must be finite");
  CHECK(message([] { hone::inverse_square_root{.peak = nan, .warmup = 1}.rate(0); }) ==
        "inverse_square_root: peak is nan, must be finite");
  CHECK(message([] { hone::inverse_square_root{.peak = 1}.rate(0); }) ==
        "inverse_square_root: warmup is 0, must be at least 1");
  CHECK(message([] { hone::inverse_square_root{.peak = 1, .warmup = 1}.rate(-1); }) ==
        "inverse_square_root: step is -1, must be at least 0");
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

TEST_CASE("scaled_by multiplies the rate, and shifted skips the first steps") {
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

TEST_CASE("with_noise depends only on the seed and the step") {
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

TEST_CASE("with_noise: invalid arguments throw with the parameter's name") {
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
