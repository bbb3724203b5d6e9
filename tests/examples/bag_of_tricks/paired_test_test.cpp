// SPDX-License-Identifier: MIT
#include "paired_test.hpp"

#include <doctest/doctest.h>

TEST_CASE("the p value of Student's distribution matches published critical values") {
  struct {
    int freedom;
    double t, p;
  } const known[] = {{1, 12.7062047361747, 0.05},  {2, 4.30265272974946, 0.05},
                     {3, 3.18244630528371, 0.05},  {4, 2.77644510519779, 0.05},
                     {5, 2.57058183563631, 0.05},  {10, 2.22813885198627, 0.05},
                     {4, 4.60409487135, 0.01},     {9, 3.24983554159213, 0.01},
                     {30, 2.04227245630124, 0.05}, {1, 1, 0.5},
                     {2, 0.816496580927726, 0.5}};
  for (const auto& k : known) {
    CAPTURE(k.freedom);
    CHECK(demo::two_sided_p(k.t, k.freedom) == doctest::Approx(k.p).epsilon(1e-9));
    CHECK(demo::two_sided_p(-k.t, k.freedom) == demo::two_sided_p(k.t, k.freedom));
    CHECK(demo::two_sided_p(0, k.freedom) == 1);
  }
}

TEST_CASE("compare gives the paired test that was worked out by hand") {
  // differences -1, -2, -3: mean -2, deviation 1, t = -2 √3 with two degrees of freedom: p = 1 - t / √(2 + t²)
  const std::vector<double> before = {5, 6, 7}, after = {4, 4, 4};
  const demo::paired_test r = demo::compare(before, after);
  CHECK(r.pairs == 3);
  CHECK(r.lower == 3);
  CHECK(r.mean == doctest::Approx(-2));
  CHECK(r.deviation == doctest::Approx(1));
  CHECK(r.p == doctest::Approx(1 - std::sqrt(12.0 / 14)));
}

TEST_CASE("compare of one pair, of equal samples and of no samples is defined") {
  const std::vector<double> one = {1}, two = {2}, same = {1, 2, 3}, more = {2, 3, 4};
  CHECK(demo::compare(one, two).p == 1);
  CHECK(demo::compare(same, same).p == 1);
  CHECK(demo::compare(same, more).p == 0);  // each by exactly 1
  CHECK(demo::compare({}, {}).pairs == 0);
}
