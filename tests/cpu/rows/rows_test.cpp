// SPDX-License-Identifier: MIT
// Edges of evaluate on rows.
#include <hone/hone.hpp>

#include <support/numbers.hpp>

#include <doctest/doctest.h>

#include <cmath>
#include <limits>
#include <vector>

namespace {

const float infinity = std::numeric_limits<float>::infinity(), not_a_number = std::numeric_limits<float>::quiet_NaN();

std::vector<float> some(hone::index n) {
  std::vector<float> x;
  x.reserve(std::size_t(n));
  for (hone::index i = 0; i < n; ++i) x.push_back(4 * std::sin(static_cast<float>(i) * 1.7f));
  return x;
}

}  // namespace

TEST_CASE("rows longer than a block match double precision") {
  for (const hone::index K : {4096, 5000, 9001}) {
    const hone::index n = 3;
    const std::vector<float> z = some(n * K);
    const std::vector<double> wide(z.begin(), z.end());
    const std::vector<int> labels = {0, 4096 < K ? 4096 : 1, static_cast<int>(K - 1)};
    std::vector<float> g(z.size());
    std::vector<double> exact(z.size());
    hone::cpu cpu;
    const auto objective = hone::cross_entropy(hone::smooth(hone::classes(labels), 0.1));
    hone::evaluate(cpu, objective, hone::matrix_view{z.data(), n, K}, {.gradient = {g.data(), n, K}});
    hone::evaluate(cpu, objective, hone::matrix_view{wide.data(), n, K}, {.gradient = {exact.data(), n, K}});
    double sum = 0;
    for (std::size_t i = 0; i < g.size(); ++i) {
      CHECK(std::abs(double(g[i]) - exact[i]) < 1e-6);
      sum += exact[i];
    }
    CHECK(std::abs(sum) < 1e-12);  // Σ p = Σ q = 1
    for (hone::index i = 0; i < n; ++i) CHECK(exact[std::size_t(i * K + labels[std::size_t(i)])] < -0.25);
  }
}

TEST_CASE("ignored rows have a gradient of 0 and change no value, even if they hold NaN") {
  for (const hone::index K : {3, 50}) {
    std::vector<float> z = some(4 * K), g(z.size(), 7);
    std::vector<int> labels = {1, -100, 0, 2};
    for (hone::index c = 0; c < K; ++c) z[std::size_t(K + c)] = not_a_number;
    hone::cpu cpu;
    const double value = hone::evaluate(cpu, hone::cross_entropy(hone::classes(labels, {.ignore = -100})),
                                        hone::matrix_view{z.data(), 4, K}, {.gradient = {g.data(), 4, K}});
    CHECK(std::isfinite(value));
    for (hone::index c = 0; c < K; ++c) CHECK(g[std::size_t(K + c)] == 0);
    for (float x : g) CHECK(std::isfinite(x));
    labels.assign(4, -100);
    CHECK(hone::evaluate(cpu, hone::cross_entropy(hone::classes(labels, {.ignore = -100})),
                         hone::matrix_view{z.data(), 4, K}, {.gradient = {g.data(), 4, K}}) == 0);
    for (float x : g) CHECK(x == 0);
  }
}

TEST_CASE("a NaN stays in its row, and mean_over(0) is 0 with a gradient of 0") {
  for (const hone::index K : {3, 50}) {
    std::vector<float> z = some(9 * K), g(z.size()), losses(9);
    const std::vector<int> labels = support::labels(9, K);
    z[std::size_t(4 * K + 1)] = not_a_number;
    hone::cpu cpu;
    const auto objective = hone::cross_entropy(hone::classes(labels));
    hone::evaluate(cpu, objective, hone::matrix_view{z.data(), 9, K},
                   {.gradient = {g.data(), 9, K}, .unreduced = losses.data()});
    for (hone::index i = 0; i < 9; ++i) {
      CHECK(std::isnan(losses[std::size_t(i)]) == (i == 4));
      for (hone::index c = 0; c < K; ++c) CHECK(std::isnan(g[std::size_t(i * K + c)]) == (i == 4));
    }
    CHECK(hone::evaluate(cpu, objective, hone::matrix_view{z.data(), 9, K}, {.gradient = {g.data(), 9, K}},
                         hone::mean_over(0)) == 0);
    for (float x : g) CHECK(x == 0);
  }
}

TEST_CASE("a class without target weight may have a logit of -inf") {
  std::vector<float> z = {1, -infinity, 2, 0, 0, -infinity}, g(6), weights = {1, 0, 1};
  const std::vector<int> labels = {0, 1};
  hone::cpu cpu;
  CHECK(std::isfinite(hone::evaluate(cpu, hone::cross_entropy(hone::classes(labels)), hone::matrix_view{z.data(), 2, 3},
                                     {.gradient = {g.data(), 2, 3}})));
  for (float x : g) CHECK(std::isfinite(x));
}

TEST_CASE("a prediction without rows has a loss of 0") {
  hone::cpu cpu;
  const std::vector<int> none;
  const hone::matrix_view<const float> empty{static_cast<const float*>(nullptr), 0, 5};
  CHECK(hone::evaluate(cpu, hone::cross_entropy(hone::classes(none)), empty) == 0);
  CHECK(hone::evaluate(cpu, hone::binary_cross_entropy(hone::classes(none)), empty) == 0);
}

TEST_CASE("16-bit gradients compute p - q in float before they round") {
  const std::vector<int> labels = {0};
  const std::vector<float> wide = {8, 0, 0, 0};
  std::vector<Eigen::bfloat16> z(wide.begin(), wide.end()), g(4);
  std::vector<float> exact(4);
  hone::cpu cpu;
  const auto objective = hone::cross_entropy(hone::classes(labels));
  hone::evaluate(cpu, objective, hone::matrix_view{z.data(), 1, 4}, {.gradient = {g.data(), 1, 4}});
  hone::evaluate(cpu, objective, hone::matrix_view{wide.data(), 1, 4}, {.gradient = {exact.data(), 1, 4}});
  CHECK(exact[0] != 0);
  for (std::size_t c = 0; c < 4; ++c) CHECK(std::abs(float(g[c]) - exact[c]) <= std::abs(exact[c]) * 0x1p-8f);
}

TEST_CASE("NaN among the probabilities makes the loss NaN") {
  for (const hone::index K : {3, 50}) {
    const std::vector<float> z = some(K);
    std::vector<float> q(z.size(), 0);
    q[1] = not_a_number;
    hone::cpu cpu;
    const auto target = hone::probabilities(hone::matrix_view{q.data(), 1, K});
    CHECK(std::isnan(hone::evaluate(cpu, hone::softmax_focal_loss(target), hone::matrix_view{z.data(), 1, K})));
    CHECK(std::isnan(hone::evaluate(cpu, hone::cross_entropy(target), hone::matrix_view{z.data(), 1, K})));
  }
}
