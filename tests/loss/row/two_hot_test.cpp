// SPDX-License-Identifier: MIT
// How two_hot splits a value between two bins, what it does with values outside, and how expected_bin decodes them.
#include <hone/hone.hpp>

#include <support/message.hpp>
#include <support/numbers.hpp>

#include <doctest/doctest.h>

#include <cmath>
#include <limits>
#include <string>
#include <vector>

namespace {

using std::vector;

const double infinity = std::numeric_limits<double>::infinity(),
             not_a_number = std::numeric_limits<double>::quiet_NaN();

/// The rows of q that a target stands for: the gradient of cross entropy at logits of 0 is Σq / K - q.
template <class Number>
vector<vector<double>> rows_of(vector<Number> const& values, hone::index K, hone::two_hot_options options = {}) {
  const auto n = hone::index(values.size());
  vector<double> z(std::size_t(n * K)), g(z.size()), loss(values.size());
  hone::evaluate(hone::cpu(1), hone::cross_entropy(hone::two_hot(values, options)), hone::matrix_view{z.data(), n, K},
                 {.gradient = {g.data(), n, K}, .unreduced = loss.data()}, hone::sum);
  vector<vector<double>> q(values.size());
  for (std::size_t i = 0; i < q.size(); ++i)
    for (std::size_t c = 0; c < std::size_t(K); ++c) {
      const double mass = K > 1 ? loss[i] / std::log(double(K)) : 1;
      q[i].push_back(mass / double(K) - g[i * std::size_t(K) + c]);
    }
  return q;
}

bool near(vector<vector<double>> const& a, vector<vector<double>> const& b) {
  bool ok = a.size() == b.size();
  for (std::size_t i = 0; ok && i < a.size(); ++i)
    for (std::size_t c = 0; c < a[i].size(); ++c) ok = ok && std::abs(a[i][c] - b[i][c]) <= 1e-15;
  return ok;
}

std::string said(vector<double> const& values, hone::two_hot_options options = {}) {
  return support::message([&] { rows_of(values, 4, options); });
}

}  // namespace

TEST_CASE("two_hot splits a value between its two neighbouring bins") {
  const vector<vector<double>> expected{{1, 0, 0, 0},     {0.75, 0.25, 0, 0}, {0, 1, 0, 0},
                                        {0, 0.5, 0.5, 0}, {0, 0, 0.25, 0.75}, {0, 0, 0, 1}};
  CHECK(near(rows_of(vector<double>{0, 0.25, 1, 1.5, 2.75, 3}, 4), expected));
  CHECK(near(rows_of(vector<float>{0, 0.25f, 1, 1.5f, 2.75f, 3}, 4), expected));
  CHECK(near(rows_of(vector<float>{-0.0f, 0}, 1), {{1}, {1}}));
}

TEST_CASE("two_hot values outside the bins throw, are clamped, or are ignored") {
  for (const double bad : {-1e-9, 3 + 1e-9, -1.0, 1e300, -infinity, infinity, not_a_number}) {
    CAPTURE(bad);
    CHECK(said({0, bad}).find("the two_hot value of row 1 is ") != std::string::npos);
    CHECK(said({0, bad}, {.ignore = -2}).find("must be in [0, 3]") != std::string::npos);
  }
  CHECK(said({0, 1, 2, 3}).empty());
  CHECK(said({0, not_a_number}, {.clamp = 0.01}).find("the two_hot value of row 1 is nan") != std::string::npos);
  for (const double bad : {-0.5, not_a_number, infinity})
    CHECK(said({0, 1}, {.clamp = bad}).find("two_hot: clamp is ") != std::string::npos);
  CHECK(said({0, 1}, {.ignore = not_a_number}).find("two_hot: ignore is nan") != std::string::npos);

  CHECK(near(rows_of(vector<double>{-5, infinity, 2.5}, 4, {.clamp = 0}),
             {{1, 0, 0, 0}, {0, 0, 0, 1}, {0, 0, 0.5, 0.5}}));
  CHECK(near(rows_of(vector<double>{-5, 3, 1}, 4, {.clamp = 0.25}), {{1, 0, 0, 0}, {0, 0, 0.25, 0.75}, {0, 1, 0, 0}}));
  CHECK(near(rows_of(vector<double>{7}, 2, {.clamp = 5}), {{1, 0}}));
  CHECK(near(rows_of(vector<double>{-1, 2, -1}, 4, {.ignore = -1, .clamp = 0}),
             {{0, 0, 0, 0}, {0, 0, 1, 0}, {0, 0, 0, 0}}));
}

TEST_CASE("rows with an ignored distance do not count in mean, and mean_over divides by its argument") {
  const vector<float> distances{1.5f, -1, 0.25f, -1};
  const vector<double> z{1, 2, 0, not_a_number, not_a_number, not_a_number, 0, 0, 1, 5, 5, 5};
  const hone::cpu cpu(1);
  const hone::matrix_view view{z.data(), 4, 3};
  const auto objective = hone::distribution_focal_loss(distances, {.ignore = -1});
  const double sum = hone::evaluate(cpu, objective, view, {}, hone::sum);
  CHECK(std::isfinite(sum));
  CHECK(hone::evaluate(cpu, objective, view) == doctest::Approx(sum / 2).epsilon(1e-15));
  CHECK(hone::evaluate(cpu, objective, view, {}, hone::mean_over(5)) == doctest::Approx(sum / 5).epsilon(1e-15));
}

TEST_CASE("mean divides weighted bins by the interpolated class weights") {
  const vector<double> y{0.25, 2, 1.5}, weights{1, 2, 8}, z{1, 2, 0, 0, 0, 1, 5, 4, 5};
  const auto objective = hone::cross_entropy(hone::weigh_classes(hone::two_hot(y), weights));
  const hone::matrix_view view{z.data(), 3, 3};
  const double sum = hone::evaluate(hone::cpu(1), objective, view, {}, hone::sum);
  CHECK(hone::evaluate(hone::cpu(1), objective, view) == doctest::Approx(sum / (1.25 + 8 + 5)).epsilon(1e-15));
}

TEST_CASE("expected_bin decodes the values that two_hot encoded") {
  for (const hone::index K : {2, 5, 17, 100}) {
    vector<double> y, z;
    for (hone::index i = 0; i < 9; ++i) y.push_back(double(K - 1) * double(i) / 8);
    for (const auto& q : rows_of(y, K))
      for (const double x : q) z.push_back(std::log(std::max(x, 1e-300)));
    vector<double> decoded(y.size());
    hone::expected_bin(hone::cpu(1), hone::matrix_view{z.data(), 9, K}, decoded);
    for (std::size_t i = 0; i < y.size(); ++i) CHECK(std::abs(decoded[i] - y[i]) <= 1e-13 * double(K));
  }
}

TEST_CASE("expected_bin takes images and saturated rows, and throws if the output is too small") {
  const vector<float> planes{0, 1e4f, 0, 0, -1e4f, 1e4f};  // 1 image, 3 bins, 2 pixels
  vector<float> out(2);
  hone::expected_bin(hone::cpu(1), hone::image_view{planes.data(), 1, 3, 2}, out);
  CHECK(out[0] == 0.5f);
  CHECK(out[1] == 1.0f);
  vector<float> little(1);
  CHECK(support::message([&] {
          hone::expected_bin(hone::cpu(1), hone::image_view{planes.data(), 1, 3, 2}, little);
        }).find("expected_bin: room for 1 numbers, 2 rows") != std::string::npos);
}

TEST_CASE("the gradient of expected_bin matches central differences") {
  const hone::index n = 6, K = 17;
  vector<double> z, upstream, g(std::size_t(n * K)), above(6), below(6);
  for (hone::index i = 0; i < n * K; ++i) z.push_back(support::noise(i));
  for (hone::index i = 0; i < n; ++i) upstream.push_back(support::noise(i + 500));
  const hone::cpu cpu(1);
  const hone::matrix_view view{z.data(), n, K};
  hone::evaluate(cpu, hone::weigh_rows(hone::expected_bin(), upstream), view, {.gradient = {g.data(), n, K}},
                 hone::sum);
  for (std::size_t j = 0; j < z.size(); ++j) {
    const double x = z[j], h = 1e-5;
    z[j] = x + h, hone::expected_bin(cpu, view, above);
    z[j] = x - h, hone::expected_bin(cpu, view, below);
    z[j] = x;
    double slope = 0;
    for (std::size_t i = 0; i < 6; ++i) slope += upstream[i] * (above[i] - below[i]) / (2 * h);
    CHECK(std::abs(slope - g[j]) <= 1e-8);
  }
}

TEST_CASE("distances of rows with a weight of 0 may be invalid") {
  const float nan = std::numeric_limits<float>::quiet_NaN();
  const std::vector<float> z = {1, 2, 3, 0, 1, 0, 2, 2, 1}, distances = {1.5f, 99, nan}, weights = {2, 0, 0};
  for (const bool clamped : {false, true}) {
    hone::two_hot_options options;
    if (clamped) options.clamp = 0.01;
    std::vector<float> gradient(9, 7), losses(3, 7);
    const hone::matrix_view<const float> view{z.data(), 3, 3};
    const double value =
        hone::evaluate(hone::cpu(1), hone::weigh_rows(hone::distribution_focal_loss(distances, options), weights), view,
                       {.gradient = {gradient.data(), 3, 3}, .unreduced = losses.data()}, hone::sum);
    const double lse = std::log(std::exp(1.0) + std::exp(2.0) + std::exp(3.0));
    CHECK(value == doctest::Approx(2 * (lse - 2.5)));
    CHECK(losses[1] == 0);
    CHECK(losses[2] == 0);
    for (std::size_t i = 3; i < 9; ++i) CHECK(gradient[i] == 0);
    CHECK_THROWS_AS(hone::evaluate(hone::cpu(1), hone::distribution_focal_loss(distances, options), view),
                    hone::invalid_argument);
  }
}
