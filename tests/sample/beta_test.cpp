// SPDX-License-Identifier: MIT
// Beta(α, α): its moments, its whole distribution, and the log and exp it is computed with.
#include <hone/sample/beta.hpp>
#include <hone/sample/mixup.hpp>

#include <doctest/doctest.h>

#include <algorithm>
#include <cmath>
#include <limits>

namespace {

/// P(X < x) for X ~ Beta(a, a), by the series x^a / (a B(a, a)) · Σ (1-a)_k x^k a / (k! (a+k)) for x <= 1/2.
double below(double x, double a) {
  if (x <= 0) return 0;
  if (x > 0.5) return 1 - below(1 - x, a);
  double term = 1, sum = 0;
  for (int k = 0; k < 200; ++k) {
    sum += term / (a + k);
    term *= (k + 1 - a) * x / (k + 1);
  }
  return sum * std::exp(a * std::log(x) + std::lgamma(2 * a) - 2 * std::lgamma(a));
}

double ulps(double got, double exact) {
  return std::abs(got - exact) /
         (std::nextafter(std::abs(exact), std::numeric_limits<double>::infinity()) - std::abs(exact));
}

}  // namespace

TEST_CASE("the reference distribution is uniform at α = 1, arcsine at α = 1/2, and symmetric") {
  for (const double x : {0.001, 0.2, 0.5, 0.7, 0.999}) {
    CHECK(below(x, 1) == doctest::Approx(x).epsilon(1e-12));
    CHECK(below(x, 0.5) == doctest::Approx(2 / std::acos(-1.0) * std::asin(std::sqrt(x))).epsilon(1e-12));
    CHECK(below(x, 8) + below(1 - x, 8) == doctest::Approx(1).epsilon(1e-12));
  }
}

// A float near 1 stands for an interval that holds much probability where α is small: its ends count, not the float.
TEST_CASE("λ has the distribution and the moments of Beta(α, α)") {
  for (const double alpha : {0.1, 0.2, 0.4, 1.0, 1.5, 8.0}) {
    CAPTURE(alpha);
    constexpr int n = 100000;
    auto lambda = hone::mixup{.alpha = alpha}.draw(2024, 11, n).lambda;
    double mean = 0, square = 0, fourth = 0;
    for (const double l : lambda)
      mean += l / n, square += (l - 0.5) * (l - 0.5) / n, fourth += std::pow(l - 0.5, 4) / n;
    const double variance = 1 / (4 * (2 * alpha + 1)),
                 kurtosis = 3 * variance * variance * (2 * alpha + 1) / (2 * alpha + 3);
    CHECK(std::abs(mean - 0.5) < 4 * std::sqrt(variance / n));
    CHECK(std::abs(square - variance) < 4 * std::sqrt((kurtosis - variance * variance) / n));
    CHECK(fourth == doctest::Approx(kurtosis).epsilon(0.03));

    std::sort(lambda.begin(), lambda.end());
    double distance = 0;
    for (auto at = lambda.begin(); at != lambda.end();) {
      const auto end = std::upper_bound(at, lambda.end(), *at);
      const double x = *at, low = (x + double(std::nextafter(*at, -1.0f))) / 2,
                   high = (x + double(std::nextafter(*at, 2.0f))) / 2;
      distance = std::max({distance, std::abs(double(at - lambda.begin()) / n - below(low, alpha)),
                           std::abs(double(end - lambda.begin()) / n - (x == 1 ? 1 : below(high, alpha)))});
      at = end;
    }
    MESSAGE("Kolmogorov-Smirnov: √n D = ", distance * std::sqrt(double(n)));
    CHECK(distance * std::sqrt(double(n)) < 1.95);  // p = 0.001
  }
}

TEST_CASE("mixup draws valid λ for an α of any size") {
  for (const double alpha : {1e-300, 1e-20, 1e-3}) {
    int ends = 0, high = 0;
    for (const float l : hone::mixup{.alpha = alpha}.draw(1, 1, 1000).lambda) {
      CHECK_UNARY(l >= 0 && l <= 1);
      ends += l < 1e-6f || l > 1 - 1e-6f, high += l > 0.5f;
    }
    CHECK(ends > 950);
    CHECK(std::abs(high - 500) < 65);  // four deviations
  }
  for (const double alpha : {1e4, 1e12, 1e300}) {
    double worst = 0;
    for (const float l : hone::mixup{.alpha = alpha}.draw(1, 1, 1000).lambda)
      worst = std::max(worst, std::abs(double(l) - 0.5));
    CHECK(worst < 5 / std::sqrt(8 * alpha) + 1e-7);
  }
}

TEST_CASE("same_log and same_exp are within 2 ulp") {
  double log_error = 0, exp_error = 0;
  for (int i = 1; i < 20000; ++i) {
    const double x = std::exp(i * 0.0037 - 37), y = i * 0.07 - 700;
    log_error = std::max(log_error, ulps(hone::detail::same_log(x), double(std::log(static_cast<long double>(x)))));
    if (y < 700)
      exp_error = std::max(exp_error, ulps(hone::detail::same_exp(y), double(std::exp(static_cast<long double>(y)))));
  }
  for (int i = 1; i < 1000; ++i)
    for (const double x : {1 - i * 0x1p-53, 1 - i * 0x1p-30, 1 + i * 0x1p-40})
      log_error = std::max(log_error, ulps(hone::detail::same_log(x), double(std::log(static_cast<long double>(x)))));
  MESSAGE("log ", log_error, " ulp, exp ", exp_error, " ulp");
  CHECK(log_error <= 2);
  CHECK(exp_error <= 2);
  CHECK(hone::detail::same_log(1) == 0);
  CHECK(hone::detail::same_exp(0) == 1);
  CHECK(hone::detail::same_exp(-1e300) == 0);
  CHECK(hone::detail::same_exp(1e300) == hone::detail::same_exp(700));
}
