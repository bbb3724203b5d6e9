// SPDX-License-Identifier: MIT
#include <hone/cpu/distributed/block_sums.hpp>

#include "../support/same_bytes.hpp"

#include <doctest/doctest.h>

#include <algorithm>
#include <cmath>
#include <limits>
#include <random>
#include <vector>

namespace {

using limits = std::numeric_limits<double>;

/// The sum of numbers by add_exactly, which counts its calls of add.
double added(std::vector<double> const& numbers, int* calls = nullptr) {
  hone::exact_sum sum;
  hone::on_cpu::add_exactly(numbers.data(), static_cast<int>(numbers.size()), [&](double x) {
    sum.add(x);
    if (calls) ++*calls;
  });
  return sum.value();
}
double exact(std::vector<double> const& numbers) {
  hone::exact_sum sum;
  for (const double x : numbers) sum.add(x);
  return sum.value();
}

TEST_CASE("add_exactly: one sum stands for many only if it is exact") {
  std::mt19937_64 random(5);
  for (int spread = 0; spread < 40; ++spread)
    for (int round = 0; round < 500; ++round) {
      std::vector<double> numbers(random() % 64 + 1);
      for (double& x : numbers) {
        const double mantissa = std::max(1.0f, static_cast<float>(1 + double(random() % 0x1000000) * 0x1p-24));
        x = std::ldexp(round % 2 ? mantissa : 2 - 0x1p-23,
                       int(random() % std::uint64_t(spread + 1)));  // the largest sums, too
      }
      int calls = 0;
      REQUIRE(added(numbers, &calls) == exact(numbers));
      if (spread <= 23) REQUIRE(calls == 1);
    }
  for (int spread = 20; spread < 40; ++spread) {  // the most bits that a sum can have
    std::vector<double> numbers(64, std::ldexp(2 - 0x1p-23, spread));
    numbers[7] = 1 + 0x1p-23;
    int calls = 0;
    CHECK(added(numbers, &calls) == exact(numbers));
    CHECK(calls == (spread <= 23 ? 1 : 64));
  }
}

TEST_CASE("add_exactly: numbers that are no floats, subnormal, or not finite are added one by one") {
  const auto check = [](std::vector<double> const& numbers) {
    int calls = 0;
    const double x = added(numbers, &calls), y = exact(numbers);
    CHECK((x == y || (std::isnan(x) && std::isnan(y))));
    CHECK(calls == static_cast<int>(numbers.size()));
  };
  check({1, 1 + 0x1p-24 + 0x1p-52});
  check({0.1, 0.2, 0.3});
  check({limits::denorm_min(), 1});
  check({limits::denorm_min()});
  check({limits::infinity(), 1});
  check({limits::quiet_NaN(), 1});
  check({0x1p1023, 0x1p1023, 0x1p1023});
  check({0, 1});
  CHECK(added({}) == 0);
}

TEST_CASE("piece_sums: any number of blocks, in any range, is the exact sum of all") {
  std::mt19937_64 random(6);
  for (const int blocks : {0, 1, 63, 64, 65, 128, 1000})
    for (const bool squares_only : {true, false}) {
      hone::on_cpu::piece_sums piece(squares_only);
      hone::on_cpu::shared_sums all;
      hone::exact_sum expected[4];
      double largest = 0;
      for (int k = 0; k < blocks; ++k) {
        hone::on_cpu::power_sums s;
        const auto some = [&] { return random() % 5 == 0 ? 0 : std::ldexp(double(random() % 97), int(random() % 60)); };
        s = {some(), some(), some(), some(), some()};
        if (s.g_squares == 0 && s.g_absolute == 0) s = {};
        piece.add(s);
        expected[0].add(s.g_squares), expected[1].add(s.squares), expected[2].add(s.g_absolute);
        expected[3].add(s.absolute), largest = std::max(largest, s.largest);
      }
      piece.add_to(all, true);
      for (int q = 0; q < (squares_only ? 1 : 4); ++q) {
        std::int64_t words[hone::detail::exact_words::count] = {};
        all.add_to(q, words);
        CHECK(hone::detail::exact_words::value(words) == expected[q].value());
      }
      if (!squares_only) CHECK(all.largest() == largest);
    }
}

TEST_CASE("piece_sums: what is not counted only says that a number is not finite") {
  for (const double bad : {limits::infinity(), limits::quiet_NaN(), 1.0}) {
    hone::on_cpu::piece_sums piece(true);
    hone::on_cpu::shared_sums all;
    piece.add({7, 0, 7, 0, 0}), piece.add({bad, 0, bad, 0, 0});
    piece.add_to(all, false);
    std::int64_t words[hone::detail::exact_words::count] = {};
    all.add_to(0, words);
    const double sum = hone::detail::exact_words::value(words);
    CHECK((std::isfinite(bad) ? sum == 0 : !std::isfinite(sum)));
  }
}

}  // namespace
