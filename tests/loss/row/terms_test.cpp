// SPDX-License-Identifier: MIT
// Gradients of row terms against dual numbers at 1e-12, for every term and target. The reference is written from the
// papers, dense and in order, and shares no line with the library.
#include <hone/hone.hpp>

#include <support/dual.hpp>
#include <support/numbers.hpp>

#include <doctest/doctest.h>

#include <cmath>
#include <functional>
#include <limits>
#include <vector>

namespace {

using support::dual;
using support::noise;
using row_of_duals = std::vector<dual>;
using row_loss = std::function<dual(row_of_duals const& z, hone::index row)>;

dual logsumexp(row_of_duals const& z, double T = 1) {
  dual most = z[0];
  for (dual x : z) most = max(most, x);
  dual sum(0);
  for (dual x : z) sum = sum + exp((x - most) / dual(T));
  return most / dual(T) + log(sum);
}

struct batch {
  hone::index rows, columns;
  std::vector<double> logits, teacher, probabilities, lambda, class_weights, numbers;
  std::vector<int> labels, other;

  batch(hone::index n, hone::index K) : rows(n), columns(K) {
    for (hone::index i = 0; i < n * K; ++i) {
      logits.push_back(noise(i));
      teacher.push_back(noise(i + 1000));
      probabilities.push_back(0.1 + std::abs(noise(i + 2000)));
    }
    for (hone::index i = 0; i < n; ++i) {
      labels.push_back(static_cast<int>((i * 5 + 1) % K));
      other.push_back(static_cast<int>((i * 3) % K));
      lambda.push_back(std::abs(std::sin(static_cast<double>(i) + 1)));
      numbers.push_back(static_cast<double>(K - 1) * (i == 0 ? 0 : i == 1 ? 1 : std::abs(std::sin(2.5 * double(i)))));
    }
    for (hone::index c = 0; c < K; ++c) class_weights.push_back(0.25 + std::abs(noise(c + 3000)));
  }
  hone::matrix_view<const double> view(std::vector<double> const& x) const { return {x.data(), rows, columns}; }
};

/// A dense target row.
using dense_target = std::function<double(hone::index row, hone::index c)>;

row_loss cross_entropy(dense_target const& q) {
  return [q](row_of_duals const& z, hone::index i) {
    const dual lse = logsumexp(z);
    dual loss(0);
    for (std::size_t c = 0; c < z.size(); ++c) loss = loss + dual(q(i, hone::index(c))) * (lse - z[c]);
    return loss;
  };
}
row_loss focal(dense_target const& q, double gamma) {
  return [q, gamma](row_of_duals const& z, hone::index i) {
    const dual lse = logsumexp(z);
    dual loss(0);
    for (std::size_t c = 0; c < z.size(); ++c) {
      const dual log_p = z[c] - lse, rest = -expm1(log_p);
      if (rest.v == 0) continue;
      loss = loss - dual(q(i, hone::index(c))) * exp(dual(gamma) * log(rest)) * log_p;
    }
    return loss;
  };
}
row_loss poly1(dense_target const& q, double epsilon) {
  return [q, epsilon](row_of_duals const& z, hone::index i) {
    const dual lse = logsumexp(z);
    dual loss(0);
    for (std::size_t c = 0; c < z.size(); ++c) {
      const dual log_p = z[c] - lse;
      loss = loss + dual(q(i, hone::index(c))) * (dual(epsilon) * (dual(1.0) - exp(log_p)) - log_p);
    }
    return loss;
  };
}
row_loss soft_target_focal(dense_target const& q, double gamma) {
  return [q, gamma](row_of_duals const& z, hone::index i) {
    const dual lse = logsumexp(z);
    dual loss(0);
    for (std::size_t c = 0; c < z.size(); ++c) {
      const double t = q(i, hone::index(c));
      const dual log_p = z[c] - lse, apart = abs(dual(t - 1) - expm1(log_p));
      if (t == 0 || apart.v == 0) continue;
      loss = loss - dual(t) * exp(dual(gamma) * log(apart)) * log_p;
    }
    return loss;
  };
}
/// As the paper has it: the margin is taken from the label's logit, and all logits are scaled.
row_loss ldam(batch const& b, std::vector<double> const& margins, double scale) {
  return [&b, &margins, scale](row_of_duals z, hone::index i) {
    const auto y = std::size_t(b.labels[std::size_t(i)]);
    z[y] = z[y] - dual(margins[y]);
    for (dual& x : z) x = dual(scale) * x;
    return logsumexp(z) - z[y];
  };
}
row_loss distillation(batch const& b, double T) {
  return [&b, T](row_of_duals const& z, hone::index i) {
    row_of_duals t;
    for (hone::index c = 0; c < b.columns; ++c) t.push_back(dual(b.teacher[std::size_t(i * b.columns + c)]));
    const dual student = logsumexp(z, T), taught = logsumexp(t, T);
    dual loss(0);
    for (std::size_t c = 0; c < z.size(); ++c) {
      const dual log_t = t[c] / dual(T) - taught, log_s = z[c] / dual(T) - student;
      loss = loss + dual(T * T) * exp(log_t) * (log_t - log_s);
    }
    return loss;
  };
}
row_loss expected_bin() {
  return [](row_of_duals const& z, hone::index) {
    const dual lse = logsumexp(z);
    dual mean(0);
    for (std::size_t c = 0; c < z.size(); ++c) mean = mean + dual(double(c)) * exp(z[c] - lse);
    return mean;
  };
}
row_loss z_loss(double coefficient) {
  return [coefficient](row_of_duals const& z, hone::index) { return dual(coefficient) * logsumexp(z) * logsumexp(z); };
}

/// hone's unreduced losses and gradient of the sum are the reference's.
template <class Objective>
void prove(const char* name, batch const& b, Objective const& objective, row_loss const& reference) {
  CAPTURE(name);
  CAPTURE(b.columns);
  std::vector<double> gradient(b.logits.size()), unreduced(std::size_t(b.rows));
  hone::cpu cpu;
  hone::evaluate(cpu, objective, b.view(b.logits),
                 {.gradient = {gradient.data(), b.rows, b.columns}, .unreduced = unreduced.data()}, hone::sum);
  double worst_value = 0, worst_gradient = 0;
  for (hone::index i = 0; i < b.rows; ++i)
    for (hone::index k = 0; k < b.columns; ++k) {
      row_of_duals z;
      for (hone::index c = 0; c < b.columns; ++c)
        z.push_back(dual(b.logits[std::size_t(i * b.columns + c)], c == k ? 1.0 : 0.0));
      const dual answer = reference(z, i);
      const double scale = 10 + std::abs(answer.v);
      worst_value = std::max(worst_value, std::abs(unreduced[std::size_t(i)] - answer.v) / scale);
      worst_gradient = std::max(worst_gradient, std::abs(gradient[std::size_t(i * b.columns + k)] - answer.d) / scale);
    }
  CHECK(worst_value <= 1e-12);
  CHECK(worst_gradient <= 1e-12);
}

/// Every term that takes a target, on one target.
template <class Target>
void prove_target(const char* name, batch const& b, Target const& target, dense_target const& q) {
  prove(name, b, hone::cross_entropy(target), cross_entropy(q));
  for (const double gamma : {0.0, 0.5, 1.0, 2.0, 3.7})
    prove(name, b, hone::softmax_focal_loss(target, {.gamma = gamma}), focal(q, gamma));
  if constexpr (!hone::weighed_target<Target>)
    for (const double gamma : {0.0, 0.5, 1.0, 2.0, 3.7})
      prove(name, b, hone::soft_target_focal_loss(target, {.gamma = gamma}), soft_target_focal(q, gamma));
  for (const double epsilon : {-1.0, 0.0, 2.0})
    prove(name, b, hone::poly1_cross_entropy(target, {.epsilon = epsilon}), poly1(q, epsilon));
}

}  // namespace

TEST_CASE("row losses and their gradients match dual numbers for every target") {
  for (const hone::index K : {2, 3, 7, 16, 33, 40}) {
    const batch b(5, K);
    const auto at = [&](hone::index i, hone::index c) { return std::size_t(i * b.columns + c); };
    const dense_target one = [&](hone::index i, hone::index c) { return double(b.labels[std::size_t(i)] == c); };
    const dense_target two = [&](hone::index i, hone::index c) { return double(b.other[std::size_t(i)] == c); };
    const dense_target soft = [&](hone::index i, hone::index c) { return b.probabilities[at(i, c)]; };
    const auto mixed = [&](dense_target const& x, dense_target const& y) -> dense_target {
      return [&b, x, y](hone::index i, hone::index c) {
        return b.lambda[std::size_t(i)] * x(i, c) + (1 - b.lambda[std::size_t(i)]) * y(i, c);
      };
    };
    const auto smoothed = [K](dense_target const& x) -> dense_target {
      return [x, K](hone::index i, hone::index c) { return 0.9 * x(i, c) + 0.1 / double(K); };
    };
    const auto left_out = [K](dense_target const& x) -> dense_target {
      return [x, K](hone::index i, hone::index c) { return 0.9 * x(i, c) + 0.1 * (1 - x(i, c)) / double(K - 1); };
    };
    const auto weighed = [&](dense_target const& x) -> dense_target {
      return [&b, x](hone::index i, hone::index c) { return x(i, c) * b.class_weights[std::size_t(c)]; };
    };
    const dense_target between = [&](hone::index i, hone::index c) {
      return std::max(0.0, 1 - std::abs(b.numbers[std::size_t(i)] - double(c)));
    };
    const auto first = hone::classes(b.labels), second = hone::classes(b.other);
    const auto dense = hone::probabilities(b.view(b.probabilities));
    prove_target("classes", b, first, one);
    prove_target("probabilities", b, dense, soft);
    prove_target("mix(classes, classes)", b, hone::mix(first, second, b.lambda), mixed(one, two));
    prove_target("mix(classes, probabilities)", b, hone::mix(first, dense, b.lambda), mixed(one, soft));
    prove_target("smooth(classes)", b, hone::smooth(first, 0.1), smoothed(one));
    prove_target("smooth(probabilities)", b, hone::smooth(dense, 0.1), smoothed(soft));
    prove_target("smooth(classes, leave_one_out)", b, hone::smooth(first, 0.1, hone::leave_one_out), left_out(one));
    prove_target("mix(smooth, classes)", b, hone::mix(hone::smooth(first, 0.1), second, b.lambda),
                 mixed(smoothed(one), two));
    prove_target("two_hot", b, hone::two_hot(b.numbers), between);
    prove_target("smooth(two_hot)", b, hone::smooth(hone::two_hot(b.numbers), 0.1), smoothed(between));
    prove_target("mix(two_hot, classes)", b, hone::mix(hone::two_hot(b.numbers), second, b.lambda),
                 mixed(between, two));
    prove_target("weigh_classes(two_hot)", b, hone::weigh_classes(hone::two_hot(b.numbers), b.class_weights),
                 weighed(between));
    prove_target("weigh_classes(classes)", b, hone::weigh_classes(first, b.class_weights), weighed(one));
    prove_target("weigh_classes(smooth(mix))", b,
                 hone::weigh_classes(hone::smooth(hone::mix(first, second, b.lambda), 0.1), b.class_weights),
                 weighed(smoothed(mixed(one, two))));
    prove_target("weigh_classes(probabilities)", b, hone::weigh_classes(dense, b.class_weights), weighed(soft));
  }
}

TEST_CASE("smooth over the allowed classes gives masked classes no weight") {
  const double inf = std::numeric_limits<double>::infinity();
  const std::vector<double> z{1, 2, 3, -inf};
  const std::vector<int> label{1}, masked{3};
  const hone::matrix_view<const double> logits{z.data(), 1, 4};
  const auto loss_of = [&](auto const& target) {
    return hone::evaluate(hone::cpu(), hone::cross_entropy(target), logits);
  };
  const auto allowed = [](auto const& target, double epsilon) {
    return hone::smooth(target, epsilon, hone::allowed_classes);
  };
  const auto one = hone::classes(label);
  CHECK(loss_of(hone::smooth(one, 0.1)) == inf);
  for (const double epsilon : {0.0, 0.1, 0.5, 1.0}) {
    CAPTURE(epsilon);
    CHECK(loss_of(allowed(one, epsilon)) == doctest::Approx(1.4076059644));
    CHECK(loss_of(allowed(allowed(one, epsilon), 0.25)) == doctest::Approx(1.4076059644));
    CHECK(loss_of(hone::mix(allowed(one, epsilon), one, 0.5)) == doctest::Approx(1.4076059644));
    CHECK(loss_of(hone::mix(allowed(one, epsilon), allowed(one, 0.75), 0.5)) == doctest::Approx(1.4076059644));
    if (epsilon < 1) CHECK(loss_of(allowed(hone::classes(masked), epsilon)) == inf);
    const std::vector<double> soft{0.25, 0.5, 0.25, 0}, weights{2, 2, 2, 2};
    const auto dense = hone::probabilities(hone::matrix_view<const double>{soft.data(), 1, 4});
    CHECK(loss_of(allowed(dense, epsilon)) == doctest::Approx(1.4076059644));
    CHECK(loss_of(hone::weigh_classes(allowed(dense, epsilon), weights)) == doctest::Approx(2 * 1.4076059644));
  }
  CHECK_THROWS_WITH(allowed(one, 1.5), "smooth: epsilon is 1.5, must be in [0, 1]");
}

TEST_CASE("distillation, z_loss, expected_bin and weighted sums match dual numbers") {
  for (const hone::index K : {1, 2, 7, 33, 100}) {
    const batch b(5, K);
    const auto teacher = b.view(b.teacher);
    for (const double T : {0.5, 1.0, 2.0, 3.0, 4.0, 10.0})
      prove("distillation", b, hone::distillation(teacher, T), distillation(b, T));
    prove("z_loss", b, hone::z_loss(0.25), z_loss(0.25));
    prove("expected_bin", b, hone::expected_bin(), expected_bin());
    const dense_target one = [&](hone::index i, hone::index c) { return double(b.labels[std::size_t(i)] == c); };
    for (const double T : {2.0, 3.0, 4.0}) {
      const row_loss ce = cross_entropy(one), kd = distillation(b, T), z2 = z_loss(0.5);
      const auto sum = hone::weigh_rows(0.7 * hone::cross_entropy(hone::classes(b.labels)) +
                                            0.3 * (hone::distillation(teacher, T) + hone::z_loss(0.5)),
                                        b.lambda);
      prove("weigh_rows(0.7 cross_entropy + 0.3 (distillation + z_loss))", b, sum,
            [&](row_of_duals const& z, hone::index i) {
              return dual(b.lambda[std::size_t(i)]) * (dual(0.7) * ce(z, i) + dual(0.3) * (kd(z, i) + z2(z, i)));
            });
    }
  }
}

TEST_CASE("ldam_loss matches dual numbers, and ldam_margins its formula") {
  for (const hone::index K : {1, 2, 7, 33, 100}) {
    const batch b(5, K);
    std::vector<double> margins(static_cast<std::size_t>(K));
    for (std::size_t c = 0; c < margins.size(); ++c) margins[c] = 0.1 * double(c % 6) - 0.1;
    for (const double scale : {0.5, 1.0, 30.0})
      prove("ldam", b, hone::ldam_loss(hone::classes(b.labels), margins, {.scale = scale}), ldam(b, margins, scale));
  }
  const std::vector<double> m = hone::ldam_margins(std::vector<double>{625, 16, 81, 16}, 0.5);
  CHECK(m == std::vector<double>{0.2, 0.5, 0.5 * 2 / 3, 0.5});
  CHECK(hone::ldam_margins({}).empty());
}

TEST_CASE("ldam_loss is right for labels far above or below all others") {
  const double inf = std::numeric_limits<double>::infinity();
  const std::vector<int> labels{0, 0, 0, 0};
  const std::vector<double> z{700, 0, 0, -700, 0, 0, -inf, 0, 0, 3, -inf, -inf}, margins{0.5, 0.5, 0.5};
  std::vector<double> gradient(12), losses(4);
  hone::evaluate(hone::cpu(), hone::ldam_loss(hone::classes(labels), margins, {.scale = 1}),
                 hone::matrix_view{z.data(), 4, 3}, {.gradient = {gradient.data(), 4, 3}, .unreduced = losses.data()},
                 hone::sum);
  CHECK(losses[0] == doctest::Approx(2 * std::exp(0.5 - 700)));
  CHECK(losses[1] == doctest::Approx(700.5 + std::log(2)));
  CHECK(losses[2] == inf);
  CHECK(losses[3] == 0);
  CHECK(std::vector<double>(gradient.begin() + 3, gradient.end()) ==
        std::vector<double>{-1, 0.5, 0.5, -1, 0.5, 0.5, 0, 0, 0});
}

TEST_CASE("Poly-1 cross entropy on logits (x, 0) is Poly-1 binary cross entropy on x") {
  const hone::cpu cpu(1);
  for (const double x : {-40.0, -3.0, -0.25, 0.0, 2.0, 30.0})
    for (const double t : {0.0, 0.25, 1.0}) {
      const std::vector<double> z{x, 0}, q{t, 1 - t};
      std::vector<double> gradient(2);
      const double loss =
          hone::evaluate(cpu, hone::poly1_cross_entropy(hone::probabilities(hone::matrix_view{q.data(), 1, 2})),
                         hone::matrix_view{z.data(), 1, 2}, {.gradient = {gradient.data(), 1, 2}});
      const auto expected = hone::poly1_binary_cross_entropy_formula{2}(x, t);
      CAPTURE(x);
      CAPTURE(t);
      CHECK(std::abs(loss - expected.value) <= 1e-14 * (1 + expected.value));
      CHECK(std::abs(gradient[0] - expected.grad) <= 1e-15);
    }
}
