// SPDX-License-Identifier: MIT
// Conversions between number types. Also built for the instruction set of the build machine, whose packs of 16-bit
// numbers are other code.
#include <hone/cpu/memory/convert.hpp>

#include <doctest/doctest.h>

#include <cfloat>
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

/// What x should become: the nearest number, and none that is infinite but for x itself.
template <class T>
float within_range(float x) {
  const float most = std::is_same_v<T, Eigen::half> ? 65504 : 0x1.fep127f;
  return static_cast<float>(static_cast<T>(std::isfinite(x) ? std::fmax(std::fmin(x, most), -most) : x));
}

}  // namespace

TEST_CASE_TEMPLATE("convert widens every 16-bit number exactly, in packs or alone", T, Eigen::half, Eigen::bfloat16) {
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

TEST_CASE_TEMPLATE("convert handles any count and alignment, and writes nothing outside the range", T, Eigen::half,
                   Eigen::bfloat16, float, double) {
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

TEST_CASE_TEMPLATE("convert narrows to the nearest, ties to even", T, Eigen::half, Eigen::bfloat16) {
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
// Only a finite number that Eigen makes infinite becomes the largest of the type.
TEST_CASE_TEMPLATE("convert narrows the same in packs and alone", T, Eigen::half, Eigen::bfloat16) {
  std::vector<float> from;
  for (std::uint32_t high = 0; high < 65536; ++high)
    for (const std::uint32_t low : {0x0000u, 0x0001u, 0x0fffu, 0x1000u, 0x1001u, 0x7fffu, 0x8000u, 0x8001u, 0xffffu})
      from.push_back(Eigen::numext::bit_cast<float>(high << 16 | low));
  std::vector<T> to(from.size());
  hone::on_cpu::convert(from.data(), to.data(), static_cast<hone::index>(from.size()));
  int wrong = 0;
  for (std::size_t i = 0; i < from.size(); ++i) wrong += !same(static_cast<float>(to[i]), within_range<T>(from[i]));
  CHECK(wrong == 0);
  for (std::size_t i = 0; i < from.size(); ++i) {
    T one{};
    hone::on_cpu::convert(&from[i], &one, 1);
    wrong += !same(static_cast<float>(one), within_range<T>(from[i]));
  }
  CHECK(wrong == 0);
}

TEST_CASE("convert narrows double to float, half and bfloat16 and keeps finite numbers finite") {
  std::vector<double> from{0.0,   -0.0,   1e-320, -1e-50,   1.0 / 3,   65504,       65519.9,
                           65520, -65536, 3e38,   HUGE_VAL, -HUGE_VAL, std::nan("")};
  for (const double edge : {0x1.fffffep127, 0x1.ffffffp127, 0x1.fep127, 0x1.ffp127})
    for (const double factor : {1 - 0x1p-30, 1.0, 1 + 0x1p-30, 2.0, 0x1p800})
      from.push_back(edge * factor), from.push_back(-edge * factor);
  while (from.size() % 16 != 3) from.push_back(-1e300);
  const auto n = static_cast<hone::index>(from.size());
  std::vector<float> to(from.size());
  std::vector<Eigen::half> half(from.size());
  std::vector<Eigen::bfloat16> brain(from.size());
  hone::on_cpu::convert(from.data(), to.data(), n);
  hone::on_cpu::convert(from.data(), half.data(), n);
  hone::on_cpu::convert(from.data(), brain.data(), n);
  const auto clamped = [](double x, double most) {
    return std::isfinite(x) ? std::fmax(std::fmin(x, most), -most) : x;
  };
  for (std::size_t i = 0; i < from.size(); ++i) {
    CAPTURE(from[i]);
    CHECK(same(to[i], static_cast<float>(clamped(from[i], FLT_MAX))));
    CHECK(same(static_cast<float>(half[i]), within_range<Eigen::half>(static_cast<float>(clamped(from[i], FLT_MAX)))));
    CHECK(same(static_cast<float>(brain[i]),
               within_range<Eigen::bfloat16>(static_cast<float>(clamped(from[i], FLT_MAX)))));
  }
}

TEST_CASE("convert narrows bfloat16 to half and keeps finite numbers finite") {
  const std::vector<Eigen::bfloat16> from = all<Eigen::bfloat16>();
  std::vector<Eigen::half> to(from.size());
  hone::on_cpu::convert(from.data(), to.data(), 65536);
  int wrong = 0;
  for (std::size_t i = 0; i < from.size(); ++i)
    wrong += !same(static_cast<float>(to[i]), within_range<Eigen::half>(static_cast<float>(from[i])));
  CHECK(wrong == 0);
}
