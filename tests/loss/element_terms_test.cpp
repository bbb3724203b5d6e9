// SPDX-License-Identifier: MIT
// The gradients of the element-wise formulas against dual numbers, and their edges.
#include <hone/hone.hpp>

#include <support/dual.hpp>

#include <doctest/doctest.h>

#include <cmath>

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

}  // namespace

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
