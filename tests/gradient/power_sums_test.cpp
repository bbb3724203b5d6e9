// SPDX-License-Identifier: MIT
#include <hone/gradient/power_sums.hpp>

#include <doctest/doctest.h>

#include <cmath>
#include <initializer_list>
#include <limits>

namespace detail = hone::detail;
using detail::power_sums;

namespace {

constexpr double inf = std::numeric_limits<double>::infinity(), not_a_number = std::numeric_limits<double>::quiet_NaN();
constexpr detail::norm_request all{false, 1, inf};

template <class A>
power_sums of(A g, detail::norm_request how) {
  power_sums s;
  detail::add_carefully(s, g, how);
  return s;
}

void check(power_sums const& s, double g_squares, double g_absolute, double squares, double absolute, double largest) {
  CHECK(s.g_squares == g_squares);
  CHECK(s.g_absolute == g_absolute);
  CHECK(s.squares == squares);
  CHECK(s.absolute == absolute);
  CHECK(s.largest == largest);
}

}  // namespace

TEST_CASE("power_sums hold g before scaling, y after clamping, and the largest y before clamping") {
  check(of(-3.0f, all), 9, 3, 9, 3, 3);
  check(of(-3.0f, {false, 0.5, inf}), 9, 3, 2.25, 1.5, 1.5);
  check(of(-3.0f, {false, 4, 2}), 9, 3, 4, 2, 12);
  check(of(3.0f, {false, 4, 2}), 9, 3, 4, 2, 12);
  check(of(0.25f, {false, 4, 2}), 0.0625, 0.25, 1, 1, 1);
  check(of(-0.0f, all), 0, 0, 0, 0, 0);
}

TEST_CASE("power_sums with squares alone hold the squares of g") {
  const power_sums s = of(-3.0f, {true, 0.5, 1});
  CHECK(s.g_squares == 9);
  CHECK(s.squares == 9);
}

TEST_CASE("power_sums add numbers and other sums") {
  power_sums a, b;
  for (const float g : {1.0f, -2.0f}) detail::add_carefully(a, g, all);
  for (const float g : {4.0f, -0.5f}) detail::add_carefully(b, g, all);
  check(a, 5, 3, 5, 3, 2);
  power_sums both = a;
  both.add(b);
  check(both, 21.25, 7.5, 21.25, 7.5, 4);
  both.add(a);  // a smaller one
  check(both, 26.25, 10.5, 26.25, 10.5, 4);
  both.add({});
  check(both, 26.25, 10.5, 26.25, 10.5, 4);
}

TEST_CASE("the norm of power_sums is that of the clamped numbers, for every p") {
  const power_sums s = of(-3.0f, {false, 4, 2});
  CHECK(s.power(2, 0.5, 2) == 1);
  CHECK(s.power(1, 0.5, 2) == 1);
  CHECK(s.power(inf, 0.5, 2) == 1);
  CHECK(s.power(inf, 0.5, inf) == 6);
  CHECK(detail::combine_powers(2, 3, 1) == 5);
  CHECK(detail::combine_powers(2, 3, 2) == 5);
  CHECK(detail::combine_powers(2, 3, inf) == 3);
  CHECK(detail::combine_powers(3, 2, inf) == 3);
}

TEST_CASE("power_sums of float neither overflow nor underflow") {
  for (const float g : {std::numeric_limits<float>::max(), std::numeric_limits<float>::denorm_min()}) {
    const power_sums s = of(-g, all);
    CHECK(std::sqrt(s.squares) == static_cast<double>(g));
    CHECK(std::sqrt(s.g_squares) == static_cast<double>(g));
  }
}

TEST_CASE("a non-finite gradient makes the squares of g non-finite, even if y is clamped") {
  for (const double limit : {1.0, inf}) {
    CHECK(of(-std::numeric_limits<float>::infinity(), {false, 1, limit}).g_squares == inf);
    CHECK(std::isnan(of(static_cast<float>(not_a_number), {false, 1, limit}).g_squares));
  }
}

TEST_CASE("in_range<float> rejects sums whose squares overflowed or underflowed") {
  using detail::in_range;
  CHECK(in_range<float>(1.0));
  CHECK(in_range<float>(0x1p-85));
  CHECK(in_range<float>(0x1p119));
  for (const double lost :
       {0.0, 0x1p-86, 0x1p-140, 0x1p120, double(std::numeric_limits<float>::max()), inf, not_a_number})
    CHECK_FALSE(in_range<float>(lost));
}

TEST_CASE("in_range<double> accepts every sum above 0, and rejects 0 and NaN") {
  using detail::in_range;
  for (const double sum : {1.0, 0x1p-300, 0x1p900}) CHECK(in_range<double>(sum));
  for (const double lost : {0.0, not_a_number}) CHECK_FALSE(in_range<double>(lost));
}
