// SPDX-License-Identifier: MIT
// Also compiled for this machine, whose packs of 16-bit numbers are other code.
#include <hone/cpu/convert.hpp>

#include <doctest/doctest.h>

#include <cmath>
#include <cstdint>
#include <cstring>
#include <vector>

namespace {

/// All numbers that 16 bits can be.
template <class T>
std::vector<T> all() {
  std::vector<T> x;
  x.reserve(65536);
  for (int bits = 0; bits < 65536; ++bits) x.push_back(Eigen::numext::bit_cast<T>(static_cast<std::uint16_t>(bits)));
  return x;
}

/// From the sign, exponent and fraction.
template <class T>
double value(int bits) {
  const int fraction_bits = std::is_same_v<T, Eigen::half> ? 10 : 7, ones = (1 << (15 - fraction_bits)) - 1;
  const int exponent = bits >> fraction_bits & ones, fraction = bits & ((1 << fraction_bits) - 1), bias = ones / 2;
  const double sign = bits & 0x8000 ? -1 : 1;
  if (exponent == ones) return fraction ? NAN : sign * INFINITY;
  if (exponent == 0) return sign * std::ldexp(fraction, 1 - bias - fraction_bits);
  return sign * std::ldexp(fraction + (1 << fraction_bits), exponent - bias - fraction_bits);
}

template <class A, class B>
bool same(A a, B b) {
  return std::isnan(b) ? std::isnan(a) : a == b && std::signbit(a) == std::signbit(b);
}

}  // namespace

TEST_CASE_TEMPLATE("every 16-bit number becomes itself, by packs and alone", T, Eigen::half, Eigen::bfloat16) {
  const std::vector<T> from = all<T>();
  std::vector<float> to(65536);
  std::vector<double> wide(65536);
  hone::on_cpu::convert(from.data(), to.data(), 65536);
  hone::on_cpu::convert(from.data(), wide.data(), 65536);
  int wrong = 0;
  for (int bits = 0; bits < 65536; ++bits) {
    const auto i = static_cast<std::size_t>(bits);
    wrong += !same(to[i], value<T>(bits)) + !same(wide[i], value<T>(bits));
  }
  CHECK(wrong == 0);
  constexpr int W = hone::on_cpu::pack<float>::size;
  for (int bits = 0; bits < 65536; bits += W) {
    float lanes[W];
    hone::on_cpu::load_as<float>(from.data() + bits).store(lanes);
    for (int k = 0; k < W; ++k) wrong += !same(lanes[k], value<T>(bits + k));
  }
  CHECK(wrong == 0);
}

TEST_CASE_TEMPLATE("any number of them from any place, and nothing behind", T, Eigen::half, Eigen::bfloat16, float,
                   double) {
  std::vector<T> from(100);
  for (std::size_t i = 0; i < 100; ++i) from[i] = static_cast<T>(static_cast<float>(i));
  for (int begin = 0; begin < 3; ++begin)
    for (int n = 0; n < 70; ++n) {
      std::vector<float> to(100, -1.0f);
      hone::on_cpu::convert(from.data() + begin, to.data() + 1, n);
      int wrong = 0;
      for (int i = 0; i < 100; ++i)
        wrong += to[static_cast<std::size_t>(i)] != static_cast<float>(i > 0 && i <= n ? begin + i - 1 : -1);
      CHECK(wrong == 0);
    }
}

TEST_CASE_TEMPLATE("narrowing rounds to the nearest, ties to even", T, Eigen::half, Eigen::bfloat16) {
  const float unit = std::is_same_v<T, Eigen::half> ? 0x1p-10f : 0x1p-7f;
  std::vector<float> from, should;
  for (int i = 0; i < 40; ++i) {
    from.push_back(1 + static_cast<float>(i) * unit / 4);
    should.push_back(1 + std::nearbyint(static_cast<float>(i) / 4) * unit);
  }
  std::vector<T> to(40);
  std::vector<float> back(40);
  hone::on_cpu::convert(from.data(), to.data(), 40);
  hone::on_cpu::convert(to.data(), back.data(), 40);
  CHECK(back == should);
}

// A pack rounds as Eigen does number by number, at the edges of every exponent too: overflow, subnormal numbers, ties.
TEST_CASE_TEMPLATE("narrowing by packs is narrowing alone", T, Eigen::half, Eigen::bfloat16) {
  std::vector<float> from;
  for (std::uint32_t high = 0; high < 65536; ++high)
    for (const std::uint32_t low : {0x0000u, 0x0001u, 0x0fffu, 0x1000u, 0x1001u, 0x7fffu, 0x8000u, 0x8001u, 0xffffu})
      from.push_back(Eigen::numext::bit_cast<float>(high << 16 | low));
  std::vector<T> to(from.size());
  hone::on_cpu::convert(from.data(), to.data(), static_cast<hone::index>(from.size()));
  int wrong = 0;
  for (std::size_t i = 0; i < from.size(); ++i)
    wrong += !same(static_cast<float>(to[i]), static_cast<float>(static_cast<T>(from[i])));
  CHECK(wrong == 0);
}
