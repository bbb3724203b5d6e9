// SPDX-License-Identifier: MIT
// The gradients of the element-wise formulas against dual numbers, and their edges.
#include <hone/hone.hpp>

#include <support/dual.hpp>

#include <doctest/doctest.h>

#include <cmath>
#include <vector>

namespace {

using support::dual;

/// The written gradient is the derivative of the written value.
template <class Formula>
void prove(Formula const& formula) {
  for (const double x : {-30.0, -4.0, -1.25, -0.01, 0.02, 0.7, 3.0, 12.0})
    for (const double t : {0.0, 0.125, 0.3, 0.75, 1.0}) {
      const auto by_hand = formula(x, t);
      const auto proof = formula(dual(x, 1.0), dual(t));
      CAPTURE(x);
      CAPTURE(t);
      CHECK(std::abs(by_hand.value - proof.value.v) <= 1e-12 * (1 + std::abs(proof.value.v)));
      CHECK(std::abs(by_hand.grad - proof.value.d) <= 1e-12 * (1 + std::abs(proof.value.d)));
    }
}

template <class Formula>
void stays_finite(Formula const& formula) {
  for (const double x : {-1e4, -100.0, -0.0, 0.0, 100.0, 1e4})
    for (const double t : {0.0, 0.3, 1.0}) {
      const auto answer = formula(x, t);
      CAPTURE(x);
      CAPTURE(t);
      CHECK(std::isfinite(answer.value));
      CHECK(std::isfinite(answer.grad));
    }
}

/// What evaluate computes on registers is what the formula computes in double, at the edges too.
template <class T, class Make, class Formula>
void on_registers(double tolerance, Make const& make, Formula const& formula) {
  std::vector<T> x, t;
  for (const double logit :
       {-1e4, -100.0, -90.0, -17.0, -3.0, -0.25, -0.0, 0.0, 0.0625, 0.5, 4.0, 20.0, 89.0, 100.0, 1e4})
    for (const double target : {0.0, 0.3, 0.5, 1.0})
      x.push_back(static_cast<T>(logit)), t.push_back(static_cast<T>(target));
  const auto n = static_cast<hone::index>(x.size());
  std::vector<T> gradient(x.size()), losses(x.size());
  hone::evaluate(hone::cpu(1), make(hone::matrix_view{t.data(), 1, n}), hone::matrix_view{x.data(), 1, n},
                 {.gradient = {gradient.data(), 1, n}, .unreduced = losses.data()}, hone::sum);
  for (std::size_t i = 0; i < x.size(); ++i) {
    const auto exact = formula(static_cast<double>(x[i]), static_cast<double>(t[i]));
    CAPTURE(x[i]);
    CAPTURE(t[i]);
    CHECK(std::abs(static_cast<double>(losses[i]) - exact.value) <= tolerance * (1 + std::abs(exact.value)));
    CHECK(std::abs(static_cast<double>(gradient[i]) - exact.grad) <= tolerance * (1 + std::abs(exact.grad)));
  }
}
template <class Make, class Formula>
void on_registers(Make const& make, Formula const& formula) {
  on_registers<double>(1e-12, make, formula);
  on_registers<float>(2e-6, make, formula);
}

}  // namespace

TEST_CASE("evaluate on registers") {
  on_registers([](auto t) { return hone::binary_cross_entropy(t); }, hone::binary_cross_entropy_formula{});
  for (const double power : {0.0, 0.5, 1.0, 1.5, 2.0, 3.0}) {
    CAPTURE(power);
    for (const double alpha : {-1.0, 0.25})
      on_registers([&](auto t) { return hone::sigmoid_focal_loss(t, {.alpha = alpha, .gamma = power}); },
                   hone::sigmoid_focal_formula{alpha, power});
    on_registers([&](auto t) { return hone::quality_focal_loss(t, {.beta = power}); },
                 hone::quality_focal_formula{power});
    on_registers([&](auto t) { return hone::varifocal_loss(t, {.gamma = power}); },
                 hone::varifocal_formula{0.75, power});
  }
}

TEST_CASE("binary cross entropy") {
  prove(hone::binary_cross_entropy_formula{});
  stays_finite(hone::binary_cross_entropy_formula{});
}

TEST_CASE("sigmoid focal loss") {
  for (const double alpha : {-1.0, 0.25})
    for (const double gamma : {0.0, 0.5, 1.0, 1.5, 2.0, 3.0}) {
      CAPTURE(alpha);
      CAPTURE(gamma);
      prove(hone::sigmoid_focal_formula{alpha, gamma});
      stays_finite(hone::sigmoid_focal_formula{alpha, gamma});
    }
}

TEST_CASE("quality focal loss") {
  for (const double beta : {0.0, 0.5, 1.0, 1.5, 2.0, 3.0}) {
    CAPTURE(beta);
    prove(hone::quality_focal_formula{beta});
    stays_finite(hone::quality_focal_formula{beta});
  }
}

TEST_CASE("varifocal loss") {
  for (const double gamma : {0.0, 0.5, 1.0, 1.5, 2.0, 3.0}) {
    CAPTURE(gamma);
    prove(hone::varifocal_formula{0.75, gamma});
    stays_finite(hone::varifocal_formula{0.75, gamma});
  }
}
