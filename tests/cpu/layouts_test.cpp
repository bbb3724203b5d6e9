// SPDX-License-Identifier: MIT
// Memory layouts, which must not change results: padding, in place, element types; and the smallest shapes.
#include <hone/hone.hpp>

#include <support/numbers.hpp>

#include <doctest/doctest.h>

#include <algorithm>
#include <cmath>
#include <cstring>
#include <limits>
#include <span>
#include <utility>
#include <vector>

namespace {

const float poison = std::numeric_limits<float>::quiet_NaN();

template <class T>
std::vector<T> numbers(hone::index count, hone::index from = 0, double scale = 1) {
  std::vector<T> x;
  x.reserve(std::size_t(count));
  for (hone::index i = 0; i < count; ++i)
    x.push_back(static_cast<T>(static_cast<float>(scale * support::noise(from + i))));
  return x;
}

/// The rows of x with `gap` poisoned numbers behind each.
template <class T>
std::vector<T> spread(std::vector<T> const& x, hone::index n, hone::index K, hone::index gap) {
  std::vector<T> wide(std::size_t(n * (K + gap)), static_cast<T>(poison));
  for (hone::index i = 0; i < n; ++i) std::copy_n(x.begin() + i * K, K, wide.begin() + i * (K + gap));
  return wide;
}

template <class T>
bool same(std::vector<T> const& a, std::vector<T> const& b) {
  return a.size() == b.size() && std::memcmp(a.data(), b.data(), a.size() * sizeof(T)) == 0;
}

/// objective(targets as a view, teacher as a view) on dense rows, on padded rows, and in place, has the same answer.
template <class T, class Make>
void lies_anywhere(hone::index n, hone::index K, Make const& make) {
  CAPTURE(n);
  CAPTURE(K);
  using view = hone::matrix_view<const T>;
  const hone::cpu cpu;
  const auto z = numbers<T>(n * K), t = numbers<T>(n * K, 700);
  auto q = numbers<T>(n * K, 1400);
  for (T& x : q) x = static_cast<T>(std::abs(static_cast<float>(x)) / 4);
  std::vector<T> dense(z.size(), static_cast<T>(poison));
  const double value = hone::evaluate(cpu, make(view{q.data(), n, K}, view{t.data(), n, K}), view{z.data(), n, K},
                                      {.gradient = {dense.data(), n, K}});
  CHECK(std::isfinite(value));
  for (const hone::index gap : {1, 3, 8}) {
    const auto wide_z = spread(z, n, K, gap), wide_t = spread(t, n, K, gap), wide_q = spread(q, n, K, gap + 1);
    const auto objective = make(view{wide_q.data(), n, K, K + gap + 1}, view{wide_t.data(), n, K, K + gap});
    std::vector<T> g(std::size_t(n * (K + gap + 2)), static_cast<T>(poison));
    CHECK(hone::evaluate(cpu, objective, view{wide_z.data(), n, K, K + gap},
                         {.gradient = {g.data(), n, K, K + gap + 2}}) == doctest::Approx(value).epsilon(1e-6));
    double worst = 0;
    for (hone::index i = 0; i < n; ++i)
      for (hone::index c = 0; c < K + gap + 2; ++c) {
        const auto x = static_cast<double>(g[std::size_t(i * (K + gap + 2) + c)]);
        if (c >= K) {
          CHECK(std::isnan(x));  // padding was not written
        } else {
          worst =
              std::fmax(worst, std::isnan(x) ? 1e9 : std::abs(x - static_cast<double>(dense[std::size_t(i * K + c)])));
        }
      }
    CHECK(worst < 1e-6);
    auto over = wide_z;
    hone::evaluate(cpu, objective, view{over.data(), n, K, K + gap}, {.gradient = {over.data(), n, K, K + gap}});
    CHECK(same(over, spread(
                         [&] {
                           std::vector<T> rows;
                           for (hone::index i = 0; i < n; ++i)
                             rows.insert(rows.end(), g.begin() + i * (K + gap + 2), g.begin() + i * (K + gap + 2) + K);
                           return rows;
                         }(),
                         n, K, gap)));
  }
  auto over = z;
  hone::evaluate(cpu, make(view{q.data(), n, K}, view{t.data(), n, K}), view{over.data(), n, K},
                 {.gradient = {over.data(), n, K}});
  CHECK(same(over, dense));
}

template <class T>
void every_objective() {
  for (const auto& [n, K] :
       {std::pair<hone::index, hone::index>{1, 1}, {9, 3}, {7, 8}, {5, 17}, {2, 64}, {3, 101}, {1, 5000}}) {
    const std::vector<int> labels = support::labels(n, K);
    lies_anywhere<T>(n, K, [&](auto q, auto t) {
      return hone::cross_entropy(hone::smooth(hone::mix(hone::classes(labels), hone::probabilities(q), 0.25), 0.1)) +
             0.5 * hone::distillation(t, 2);
    });
    lies_anywhere<T>(n, K,
                     [&](auto, auto) { return hone::softmax_focal_loss(hone::smooth(hone::classes(labels), 0.1)); });
    lies_anywhere<T>(n, K, [&](auto q, auto) {
      return hone::binary_cross_entropy(q) + hone::sigmoid_focal_loss(hone::classes(labels));
    });
  }
}

}  // namespace

TEST_CASE("padding and in place give the same results: float") { every_objective<float>(); }
TEST_CASE("padding and in place give the same results: double") { every_objective<double>(); }
TEST_CASE("padding and in place give the same results: half") { every_objective<Eigen::half>(); }
TEST_CASE("padding and in place give the same results: bfloat16") { every_objective<Eigen::bfloat16>(); }

TEST_CASE("16-bit gradients differ from double by one rounding") {
  const auto near_double = [](auto zero, double half_ulp) {
    using T = decltype(zero);
    for (const hone::index K : {3, 16, 41}) {
      const hone::index n = 9;
      const std::vector<int> labels = support::labels(n, K);
      const auto z = numbers<T>(n * K, 0, 2);
      std::vector<double> wide, exact(z.size());
      for (T x : z) wide.push_back(static_cast<double>(static_cast<float>(x)));
      std::vector<T> g(z.size());
      const hone::cpu cpu;
      const auto objective = hone::cross_entropy(hone::classes(labels));
      const double value =
          hone::evaluate(cpu, objective, hone::matrix_view{z.data(), n, K}, {.gradient = {g.data(), n, K}}, hone::sum);
      const double wanted = hone::evaluate(cpu, objective, hone::matrix_view{wide.data(), n, K},
                                           {.gradient = {exact.data(), n, K}}, hone::sum);
      CHECK(value == doctest::Approx(wanted).epsilon(1e-6));
      int wrong = 0;
      for (std::size_t i = 0; i < g.size(); ++i)
        wrong += !(std::abs(double(float(g[i])) - exact[i]) <= half_ulp * std::abs(exact[i]) * 1.01 + 3e-7);
      CHECK(wrong == 0);
    }
  };
  near_double(Eigen::half(0), 0x1p-11);
  near_double(Eigen::bfloat16(0), 0x1p-8);
}

TEST_CASE("a prediction without columns has a loss of 0") {
  const hone::cpu cpu;
  float one = 7;
  std::vector<float> losses(3, 7);
  const hone::matrix_view<const float> empty{&one, 3, 0};
  const std::vector<int> background{0, 1, 2}, ignored(3, -1);
  CHECK(hone::evaluate(cpu, hone::cross_entropy(hone::probabilities(empty)), empty, {.unreduced = losses.data()}) == 0);
  CHECK(losses == std::vector<float>(3, 0));
  CHECK(hone::evaluate(cpu, hone::cross_entropy(hone::classes(ignored, {.ignore = -1})), empty) == 0);
  CHECK(hone::evaluate(cpu, hone::binary_cross_entropy(hone::classes(background)), empty, {}, hone::sum) == 0);
}

TEST_CASE("smoothing skips ignored rows, and a label of -1 does not index class weights") {  // pytorch#73205, #72056
  const hone::cpu cpu;
  for (const hone::index K : {3, 40}) {
    std::vector<double> z, g(std::size_t(4 * K)), kept;
    for (hone::index i = 0; i < 4 * K; ++i) z.push_back(support::noise(i));
    kept.insert(kept.end(), z.begin(), z.begin() + K);
    kept.insert(kept.end(), z.begin() + 2 * K, z.begin() + 3 * K);
    std::vector<double> room(std::size_t(K + 1), 0.5);
    room[0] = 1e9;  // what weight[-1] would read
    const std::span<const double> weights(room.data() + 1, std::size_t(K));
    const std::vector<int> labels{0, -1, 2, -1}, two{0, 2};
    const auto target = [&](auto const& y) {
      return hone::weigh_classes(hone::smooth(hone::classes(y, {.ignore = -1}), 0.1), weights);
    };
    const double value = hone::evaluate(cpu, hone::cross_entropy(target(labels)), hone::matrix_view{z.data(), 4, K},
                                        {.gradient = {g.data(), 4, K}});
    CHECK(value ==
          doctest::Approx(hone::evaluate(cpu, hone::cross_entropy(target(two)), hone::matrix_view{kept.data(), 2, K}))
              .epsilon(1e-13));
    for (hone::index c = 0; c < K; ++c) CHECK((g[std::size_t(K + c)] == 0 && g[std::size_t(3 * K + c)] == 0));
  }
}
