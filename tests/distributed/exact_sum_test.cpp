// SPDX-License-Identifier: MIT
#include <hone/distributed/exact_sum.hpp>

#include "../support/same_bytes.hpp"

#include <doctest/doctest.h>

#include <algorithm>
#include <cmath>
#include <limits>
#include <random>
#include <vector>

namespace {

using limits = std::numeric_limits<double>;

double exact(std::vector<double> const& numbers) {
  hone::exact_sum sum;
  for (const double x : numbers) sum.add(x);
  return sum.value();
}

TEST_CASE("exact_sum: one number is itself, of every exponent and sign") {
  std::mt19937_64 random(1);
  CHECK(exact({}) == 0);
  for (const double x : {0.0, 1.0, -1.0, limits::denorm_min(), limits::min(), limits::max(), -limits::max(),
                         limits::min() - limits::denorm_min(), 0x1.fffffffffffffp0, 0x1.8p52})
    CHECK(exact({x}) == x);
  for (int i = 0; i < 200000; ++i) {
    const auto x = __builtin_bit_cast(double, random());
    if (std::isfinite(x)) REQUIRE(exact({x}) == x);
  }
}

TEST_CASE("exact_sum: two numbers are rounded as the processor rounds them") {
  std::mt19937_64 random(2);
  for (int i = 0; i < 500000; ++i) {
    const double x = __builtin_bit_cast(double, random());
    double y = __builtin_bit_cast(double, random());
    if (!std::isfinite(x) || !std::isfinite(y)) continue;
    REQUIRE(exact({x, y}) == x + y);
    y = std::ldexp(std::frexp(y, std::array<int, 1>{}.data()), std::ilogb(x) + int(random() % 120) - 60);
    if (std::isfinite(y)) REQUIRE(exact({x, y}) == x + y);
  }
  CHECK(exact({limits::max(), limits::max()}) == limits::infinity());
  CHECK(exact({-limits::max(), -limits::max() * 0x1p-54}) == -limits::max());
  CHECK(exact({1, 0x1p-53}) == 1);                                                // a tie, to even
  CHECK(exact({1, 0x1p-53, limits::denorm_min()}) == 1 + 0x1p-52);                // just above it
  CHECK(exact({1 + 0x1p-52, 0x1p-53}) == 1 + 0x1p-51);                            // a tie, to even
  CHECK(exact({limits::max(), limits::max(), -limits::max()}) == limits::max());  // no overflow on the way
}

TEST_CASE("exact_sum: no order and no grouping changes a bit") {
  std::mt19937_64 random(3);
  std::vector<double> numbers;
  numbers.reserve(3001);
  for (int i = 0; i < 3000; ++i)
    numbers.push_back(std::ldexp(double(std::int64_t(random())), int(random() % 2000) - 1060));
  numbers.push_back(-numbers[0]);
  const double once = exact(numbers);
  for (int round = 0; round < 20; ++round) {
    std::shuffle(numbers.begin(), numbers.end(), random);
    CHECK(exact(numbers) == once);
    hone::exact_sum parts[7];
    for (const double x : numbers) parts[random() % 7].add(x);
    for (int k = 1; k < 7; ++k) parts[0].add(parts[k]);
    CHECK(parts[0].value() == once);
  }
}

TEST_CASE("exact_sum: cancels without a trace") {
  CHECK(exact({1e308, 1, -1e308}) == 1);
  CHECK(exact({1e308, limits::denorm_min(), -1e308}) == limits::denorm_min());
  CHECK(exact({3, -3}) == 0);
}

TEST_CASE("exact_sum: infinities and NaN are as IEEE 754 adds them") {
  CHECK(exact({1, limits::infinity()}) == limits::infinity());
  CHECK(exact({-limits::infinity(), limits::max()}) == -limits::infinity());
  CHECK(std::isnan(exact({limits::infinity(), -limits::infinity()})));
  CHECK(std::isnan(exact({limits::quiet_NaN(), 1})));
}

TEST_CASE("exact_sum: words of several sums are added as integers") {
  hone::exact_sum a, b;
  a.add(1), a.add(-0x1p-80), b.add(-1), b.add(0x1p-40);
  auto const words = b.words();
  auto const to = a.words();
  for (std::size_t k = 0; k < to.size(); ++k) to[k] += words[k];
  CHECK(a.value() == 0x1p-40 - 0x1p-80);
}

}  // namespace
