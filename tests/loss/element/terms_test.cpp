// SPDX-License-Identifier: MIT
// Gradients of the element-wise formulas against dual numbers, and their edges.
#include <hone/hone.hpp>

#include <support/dual.hpp>

#include <doctest/doctest.h>

#include <cmath>
#include <limits>
#include <vector>

namespace {

using support::dual;

const std::vector<double> powers{0, 0.25, 0.5, 1, 1.5, 2, 3, 4};

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

/// The same with a weight of positives: 1 changes nothing, and hard positives weigh that much as a whole.
template <class Formula>
void prove_weighed(Formula const& formula) {
  for (const double x : {-30.0, -4.0, -1.25, 0.02, 0.7, 3.0, 12.0})
    for (const double t : {0.0, 0.125, 0.3, 0.75, 1.0})
      for (const double w : {0.0, 0.5, 1.0, 3.0}) {
        CAPTURE(x);
        CAPTURE(t);
        CAPTURE(w);
        const auto by_hand = formula(x, t, w), plain = formula(x, t);
        const auto proof = formula(dual(x, 1.0), dual(t), dual(w));
        const auto near = [](double a, double b) { return std::abs(a - b) <= 1e-12 * (1 + std::abs(b)); };
        CHECK(near(by_hand.value, proof.value.v));
        CHECK(near(by_hand.grad, proof.value.d));
        const double times = w == 1 || t == 0 ? 1 : w;
        if (w == 1 || t == 0 || t == 1) {
          CHECK(near(by_hand.value, times * plain.value));
          CHECK(near(by_hand.grad, times * plain.grad));
        }
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

/// An infinite logit counts as a large one.
template <class Formula>
void has_limits(Formula const& formula) {
  const double infinity = std::numeric_limits<double>::infinity();
  for (const double sign : {-1.0, 1.0})
    for (const double t : {0.0, 0.3, 1.0}) {
      const auto limit = formula(sign * infinity, t), before = formula(sign * 1e300, t);
      CAPTURE(sign);
      CAPTURE(t);
      CHECK(limit.value == before.value);
      CHECK(limit.grad == before.grad);
    }
}

/// All three, and that a NaN is passed on.
template <class Formula>
void holds(Formula const& formula) {
  prove(formula);
  stays_finite(formula);
  has_limits(formula);
  const auto lost = formula(std::numeric_limits<double>::quiet_NaN(), 0.0);
  CHECK(std::isnan(lost.value));
  CHECK(std::isnan(lost.grad));
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
/// Infinite logits and no number, in full packs and in a tail.
template <class T, class Make, class Formula>
void at_infinity(Make const& make, Formula const& formula) {
  const T infinity = std::numeric_limits<T>::infinity(), nan = std::numeric_limits<T>::quiet_NaN();
  std::vector<T> x, t;
  for (const T logit : {-infinity, infinity, nan})
    for (const double target : {0.0, 0.3, 1.0, 0.0, 1.0, 0.0, 1.0})
      x.push_back(logit), t.push_back(static_cast<T>(target));
  const auto n = static_cast<hone::index>(x.size());
  std::vector<T> gradient(x.size()), losses(x.size());
  hone::evaluate(hone::cpu(1), make(hone::matrix_view{t.data(), 1, n}), hone::matrix_view{x.data(), 1, n},
                 {.gradient = {gradient.data(), 1, n}, .unreduced = losses.data()}, hone::sum);
  const auto same = [](double seen, double exact) {
    return std::isnan(exact) ? std::isnan(seen)
                             : seen == exact || std::abs(seen - exact) <= 1e-6 * (1 + std::abs(exact));
  };
  for (std::size_t i = 0; i < x.size(); ++i) {
    const auto exact = formula(static_cast<double>(x[i]), static_cast<double>(t[i]));
    CAPTURE(x[i]);
    CAPTURE(t[i]);
    CHECK(same(static_cast<double>(losses[i]), exact.value));
    CHECK(same(static_cast<double>(gradient[i]), exact.grad));
  }
}
template <class Make, class Formula>
void on_registers(Make const& make, Formula const& formula) {
  on_registers<double>(1e-12, make, formula);
  on_registers<float>(2e-6, make, formula);
  at_infinity<double>(make, formula);
  at_infinity<float>(make, formula);
}

}  // namespace

TEST_CASE("evaluate on packs matches the element-wise formulas") {
  on_registers([](auto t) { return hone::binary_cross_entropy(t); }, hone::binary_cross_entropy_formula{});
  for (const double epsilon : {-1.0, 2.0})
    on_registers([&](auto t) { return hone::poly1_binary_cross_entropy(t, {.epsilon = epsilon}); },
                 hone::poly1_binary_cross_entropy_formula{epsilon});
  for (const double power : powers) {
    CAPTURE(power);
    for (const double alpha : {-1.0, 0.25})
      on_registers([&](auto t) { return hone::sigmoid_focal_loss(t, {.alpha = alpha, .gamma = power}); },
                   hone::sigmoid_focal_formula{alpha, power});
    on_registers([&](auto t) { return hone::quality_focal_loss(t, {.beta = power}); },
                 hone::quality_focal_formula{power});
    on_registers([&](auto t) { return hone::varifocal_loss(t, {.gamma = power}); },
                 hone::varifocal_formula{0.75, power});
    for (const double clip : {0.0, 1e-5, 0.05, 0.75})
      on_registers(
          [&](auto t) {
            return hone::asymmetric_loss(t, {.gamma_positive = 1, .gamma_negative = power, .clip = clip});
          },
          hone::asymmetric_formula{1, power, clip});
  }
}

TEST_CASE("binary cross entropy matches dual numbers") { holds(hone::binary_cross_entropy_formula{}); }

TEST_CASE("sigmoid focal loss matches dual numbers") {
  for (const double alpha : {-1.0, 0.25})
    for (const double gamma : powers) {
      CAPTURE(alpha);
      CAPTURE(gamma);
      holds(hone::sigmoid_focal_formula{alpha, gamma});
    }
}

TEST_CASE("quality focal loss matches dual numbers") {
  for (const double beta : powers) {
    CAPTURE(beta);
    holds(hone::quality_focal_formula{beta});
  }
}

TEST_CASE("varifocal loss matches dual numbers") {
  for (const double gamma : powers) {
    CAPTURE(gamma);
    holds(hone::varifocal_formula{0.75, gamma});
  }
}

TEST_CASE("asymmetric loss matches dual numbers") {
  for (const double positive : powers)
    for (const double negative : powers)
      for (const double clip : {0.0, 1e-300, 1e-9, 0.05, 0.75}) {
        CAPTURE(positive);
        CAPTURE(negative);
        CAPTURE(clip);
        holds(hone::asymmetric_formula{positive, negative, clip});
      }
}

TEST_CASE("asymmetric loss is 0, with a gradient of 0, below its clip") {
  const hone::asymmetric_formula formula{1, 0, 0.05};
  const double edge = std::log(0.05 / 0.95);
  for (const double x : {-1e4, -10.0, edge - 1e-9}) {
    CHECK(formula(x, 0.0).value == 0);
    CHECK(formula(x, 0.0).grad == 0);
  }
  CHECK(formula(edge + 1e-9, 0.0).value > 0);
  CHECK(formula(edge + 1e-9, 0.0).grad > 0);
}

TEST_CASE("Poly-1 binary cross entropy matches dual numbers") {
  for (const double epsilon : {-1.0, 0.0, 2.0, 8.0}) {
    CAPTURE(epsilon);
    holds(hone::poly1_binary_cross_entropy_formula{epsilon});
  }
}

// Exponents of the papers take no logarithm: what they give must be what their neighbours give. 0^0 alone has no limit.
TEST_CASE("element-wise losses are continuous in their exponents, even where the base is 0") {
  const auto near = [](double a, double b) { return std::abs(a - b) <= 1e-6 * (1 + std::abs(b)); };
  const auto compare = [&](auto const& make, auto const& base) {
    for (const double exponent : {0.0, 0.5, 1.0, 2.0, 3.0, 4.0})
      for (const double step : {-1e-9, 1e-9}) {
        if (exponent + step < 0) continue;
        const auto at = make(exponent), beside = make(exponent + step);
        for (const double x : {-1e4, -40.0, -2.0, 0.0, 0.5, 3.0, 40.0, 1e4})
          for (const double t : {0.0, 0.25, hone::logistic<double>(x).p, 0.5, 1.0}) {
            const auto a = at(x, t), b = beside(x, t);
            CAPTURE(exponent);
            CAPTURE(step);
            CAPTURE(x);
            CAPTURE(t);
            if (exponent > 0 || base(x, t) > 0) CHECK(near(a.value, b.value));
            const bool at_pole = exponent < 1 && base(x, t) > 0 && base(x, t) < 1e-12;  // of the power's derivative
            if (!at_pole) CHECK(near(a.grad, b.grad));
          }
      }
  };
  const auto wrong = [](double x, double t) {
    const hone::logistic<double> s(x);
    return s.p * (1 - t) + s.complement * t;
  };
  compare([](double e) { return hone::quality_focal_formula{e}; },
          [](double x, double q) {
            const hone::logistic<double> s(x);
            return std::abs(s.p * (1 - q) - s.complement * q);
          });
  for (const double alpha : {-1.0, 0.25})
    compare([=](double e) { return hone::sigmoid_focal_formula(alpha, e); }, wrong);
  compare([](double e) { return hone::varifocal_formula{0.75, e}; }, wrong);
  for (const double clip : {0.0, 0.05})
    for (const double other : {0.0, 1.0}) {
      compare([=](double e) { return hone::asymmetric_formula{other, e, clip}; }, wrong);
      compare([=](double e) { return hone::asymmetric_formula{e, other, clip}; }, wrong);
    }
}

// |d|^beta has a kink at d = 0 for beta = 1, and its slope there is 0, as PyTorch's is.
TEST_CASE_TEMPLATE("quality focal loss has a gradient of 0 at sigmoid(x) = q", T, float, double) {
  std::vector<T> x, q;
  for (const double logit : {0.0, -1.25, 2.0, -30.0, 5.5}) {
    x.push_back(static_cast<T>(logit));
    q.push_back(hone::logistic<T>(x.back()).p);
  }
  for (const double beta : {0.5, 0.9999, 1.0, 1.0001, 1.5, 2.0}) {
    std::vector<T> g(1), u(1);
    const T half[] = {T(0.5)}, zero[] = {T(0)};
    hone::evaluate(hone::cpu(1), hone::quality_focal_loss(hone::matrix_view{half, 1, 1}, {.beta = beta}),
                   hone::matrix_view{zero, 1, 1}, {.gradient = {g.data(), 1, 1}, .unreduced = u.data()});
    CAPTURE(beta);
    CHECK(g[0] == 0);
    CHECK(u[0] == 0);
  }
}

// Too small for a float: 0 · log(0) would be NaN.
TEST_CASE("focal losses with an exponent too small for float match an exponent of 0") {
  for (const double gamma : {1e-300, 1e-46, 1e-40, 1e-20}) {
    const float x[] = {-1000, 0, 1000, -1000, 0, 1000, -200, 200}, t[] = {0, 0, 0, 1, 1, 1, 0, 1};
    float g[8], u[8], g0[8], u0[8];
    const auto evaluate = [&](auto const& objective, float* gradient, float* losses) {
      hone::evaluate(hone::cpu(1), objective, hone::matrix_view{x, 1, 8},
                     {.gradient = {gradient, 1, 8}, .unreduced = losses}, hone::sum);
    };
    const auto same = [&](auto const& make) {
      evaluate(make(gamma), g, u);
      evaluate(make(0.0), g0, u0);
      for (int i = 0; i < 8; ++i) {
        CAPTURE(gamma);
        CAPTURE(x[i]);
        CAPTURE(t[i]);
        CHECK(u[i] == doctest::Approx(u0[i]));
        CHECK(g[i] == doctest::Approx(g0[i]));
      }
    };
    const hone::matrix_view targets{t, 1, 8};
    same([&](double e) { return hone::sigmoid_focal_loss(targets, {.gamma = e}); });
    same([&](double e) { return hone::quality_focal_loss(targets, {.beta = e}); });
    same([&](double e) { return hone::varifocal_loss(targets, {.gamma = e}); });
    same([&](double e) {
      return hone::asymmetric_loss(targets, {.gamma_positive = e, .gamma_negative = e, .clip = 0});
    });
  }
}

TEST_CASE("weigh_positives matches dual numbers and PyTorch's pos_weight") {
  prove_weighed(hone::binary_cross_entropy_formula{});
  prove_weighed(hone::smoothed_binary_cross_entropy_formula{1, 0});
  prove_weighed(hone::poly1_binary_cross_entropy_formula{2});
  for (const double power : powers) {
    CAPTURE(power);
    prove_weighed(hone::sigmoid_focal_formula{0.25, power});
    prove_weighed(hone::quality_focal_formula{power});
    prove_weighed(hone::varifocal_formula{0.75, power});
    prove_weighed(hone::asymmetric_formula{power, 4, 0.05});
  }
  // PyTorch: BCEWithLogitsLoss(pos_weight=3) of x = 0.7, t = 0.3
  const auto soft = hone::binary_cross_entropy_formula{}(0.7, 0.3, 3.0);
  const double sigmoid = 1 / (1 + std::exp(-0.7));
  CHECK(soft.value == doctest::Approx(-3 * 0.3 * std::log(sigmoid) - 0.7 * std::log(1 - sigmoid)).epsilon(1e-14));
}
