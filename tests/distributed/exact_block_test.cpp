// SPDX-License-Identifier: MIT
// A block of numbers added at once has the bits of its numbers added one by one, under any flags.
#include <hone/cpu/distributed/exact_block.hpp>

#include "support/same_bytes.hpp"

#include <doctest/doctest.h>

#include <cmath>
#include <limits>
#include <random>
#include <vector>

namespace {

using hone::index;

/// Checks the sum of the numbers and returns how many additions to the exact sum it took.
int check_block(std::vector<double> numbers) {
  struct counted {
    hone::exact_sum sum;
    int additions = 0;
    void add(double x) { sum.add(x), ++additions; }
  } of_block;
  hone::exact_sum one_by_one;
  for (const double x : numbers) one_by_one.add(x);
  const auto n = static_cast<index>(numbers.size());
  numbers.resize(numbers.size() + std::size_t(hone::on_cpu::exact_padding), 1e300);  // not to be read
  hone::on_cpu::add_block(numbers.data(), n, of_block);
  auto const a = one_by_one.words(), b = of_block.sum.words();
  CHECK(support::same_bytes(a.data(), b.data(), a.size_bytes()));
  return of_block.additions;
}

std::vector<double> random_numbers(std::mt19937_64& random, std::size_t n, int least, int most) {
  std::vector<double> x(n);
  for (double& v : x) {
    const auto mantissa = static_cast<double>(static_cast<std::int64_t>(random() >> 11));
    v = std::ldexp(random() % 2 != 0 ? mantissa : -mantissa, least + int(random() % std::uint64_t(most - least + 1)));
  }
  return x;
}

TEST_CASE("exact blocks: the words of numbers of any size, count and sign") {
  std::mt19937_64 random(1);
  for (const std::size_t n : {0u, 1u, 2u, 15u, 16u, 17u, 100u, 1023u, 1024u})
    for (const int spread : {0, 10, 60, 200, 1200})
      for (int round = 0; round < 5; ++round)
        check_block(random_numbers(random, n, -53 - spread / 2, -53 + spread / 2));
  check_block(std::vector<double>(1000, 0.0));
#ifndef __FAST_MATH__  // which makes the processor count subnormal numbers as 0
  check_block(random_numbers(random, 1024, -1074, 900));
  check_block(std::vector<double>(1000, -0x1p-1074));
#endif
}

TEST_CASE("exact blocks: losses of float take two or three additions") {
  std::mt19937_64 random(2);
  std::vector<double> losses(1024);
  for (double& v : losses) v = static_cast<double>(static_cast<float>(std::exp(double(random() % 30000) / -1000)));
  CHECK(check_block(losses) <= 3);
  for (double& v : losses) v *= 1.0 / 3;
  CHECK(check_block(losses) <= 3);
}

TEST_CASE("exact blocks: infinities, NaN and the largest numbers") {
  using limits = std::numeric_limits<double>;
  std::vector<double> x(100, 0.1);
  for (const double special :
       {limits::infinity(), -limits::infinity(), limits::quiet_NaN(), limits::max(), -limits::max(), limits::min()}) {
    x[37] = special;
    check_block(x);
    x[38] = -special;
    check_block(x);
    x[38] = 0.1;
  }
}

}  // namespace
