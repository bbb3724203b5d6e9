// SPDX-License-Identifier: MIT
// Conversion of half as bits: all values and all rounding boundaries, against arithmetic in double.
#include <hone/hone.hpp>

#include <doctest/doctest.h>

#include <cmath>
#include <limits>

namespace {

/// What IEEE 754 says that the bits stand for.
double value_of(unsigned bits) {
  const int exponent = int(bits >> 10 & 31), fraction = int(bits & 1023);
  const double size = exponent ? std::ldexp(1024 + fraction, exponent - 25) : std::ldexp(fraction, -24);
  return bits & 0x8000 ? -size : size;
}

}  // namespace

TEST_CASE("from_half is exact for every half, and to_half is its inverse") {
  for (unsigned bits = 0; bits < 0x10000; ++bits) {
    const float x = hone::from_half(std::uint16_t(bits));
    if ((bits & 0x7c00) == 0x7c00) {
      if (bits & 0x3ff) {
        REQUIRE(std::isnan(x));
        REQUIRE(std::isnan(hone::from_half(hone::to_half(x))));
      } else {
        REQUIRE(std::isinf(x));
        REQUIRE(std::signbit(x) == bool(bits & 0x8000));
        REQUIRE(hone::to_half(x) == bits);
      }
      continue;
    }
    REQUIRE(double(x) == value_of(bits));
    REQUIRE(std::signbit(x) == bool(bits & 0x8000));
    REQUIRE(hone::to_half(x) == bits);
  }
}

TEST_CASE("to_half rounds to the nearest half, ties to even") {
  const float infinity = std::numeric_limits<float>::infinity();
  for (unsigned bits = 0; bits < 0x7bff; ++bits) {
    const float low = hone::from_half(std::uint16_t(bits)), high = hone::from_half(std::uint16_t(bits + 1));
    const float middle = (low + high) / 2;  // exact in float
    const unsigned even = bits & 1 ? bits + 1 : bits;
    for (const unsigned sign : {0u, 0x8000u}) {
      const float s = sign ? -1.0f : 1.0f;
      REQUIRE(hone::to_half(s * middle) == (even | sign));
      REQUIRE(hone::to_half(s * std::nextafter(middle, 0.0f)) == (bits | sign));
      REQUIRE(hone::to_half(s * std::nextafter(middle, infinity)) == ((bits + 1) | sign));
    }
  }
  CHECK(hone::to_half(65519.996f) == 0x7bff);
  CHECK(hone::to_half(65520.0f) == 0x7c00);
  CHECK(hone::to_half(-3e38f) == 0xfc00);
  CHECK(hone::to_half(1e-30f) == 0);
}
