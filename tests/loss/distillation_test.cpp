// SPDX-License-Identifier: MIT
// The divergences of distillation: gradients against dual numbers at 1e-12, and the edges. References are written from
// the papers, in probabilities where those allow it, and share no line with the library.
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
using duals = std::vector<dual>;
using row_loss = std::function<dual(duals const& z, duals const& t, int label)>;

const double infinity = std::numeric_limits<double>::infinity();

/// log softmax(z / T) over the classes that are not `without`.
duals log_softmax(duals const& z, double T, int without = -1) {
  dual most(-infinity);
  for (std::size_t c = 0; c < z.size(); ++c)
    if (int(c) != without) most = max(most, z[c]);
  dual total(0);
  for (std::size_t c = 0; c < z.size(); ++c)
    if (int(c) != without) total = total + exp((z[c] - most) / dual(T));
  duals logs;
  for (dual x : z) logs.push_back((x - most) / dual(T) - log(total));
  return logs;
}
dual divergence(duals const& log_p, duals const& log_q, int without = -1) {
  dual sum(0);
  for (std::size_t c = 0; c < log_p.size(); ++c)
    if (int(c) != without && log_p[c].v != -infinity) sum = sum + exp(log_p[c]) * (log_p[c] - log_q[c]);
  return sum;
}

row_loss reversed(double T) {
  return [T](duals const& z, duals const& t, int) {
    return dual(T * T) * divergence(log_softmax(z, T), log_softmax(t, T));
  };
}
row_loss jensen_shannon(double T, double beta) {
  return [T, beta](duals const& z, duals const& t, int) {
    const duals s = log_softmax(z, T), p = log_softmax(t, T);
    duals m;
    for (std::size_t c = 0; c < z.size(); ++c) m.push_back(log(dual(beta) * exp(p[c]) + dual(1 - beta) * exp(s[c])));
    return dual(T * T) * (dual(beta) * divergence(p, m) + dual(1 - beta) * divergence(s, m));
  };
}

struct batch {
  hone::index rows = 5, columns;
  std::vector<double> logits, teacher;
  std::vector<int> labels;

  explicit batch(hone::index K) : columns(K), logits(noise(0, rows * K)), teacher(noise(1000, rows * K)) {
    for (hone::index i = 0; i < rows; ++i) labels.push_back(static_cast<int>((i * 5 + 1) % K));
  }
  hone::matrix_view<const double> view(std::vector<double> const& x) const { return {x.data(), rows, columns}; }
};

template <class T>
struct answer {
  std::vector<T> gradient, losses;

  template <class Objective>
  answer(Objective const& objective, std::vector<T> const& z, hone::index rows)
      : gradient(z.size()), losses(std::size_t(rows)) {
    const hone::index K = hone::index(z.size()) / rows;
    const hone::cpu cpu(1);
    hone::evaluate(cpu, objective, hone::matrix_view{z.data(), rows, K},
                   {.gradient = {gradient.data(), rows, K}, .unreduced = losses.data()}, hone::sum);
  }
  bool finite() const {
    for (T x : gradient)
      if (!std::isfinite(x)) return false;
    for (T x : losses)
      if (!std::isfinite(x)) return false;
    return true;
  }
  bool zero() const {
    for (T x : gradient)
      if (x != 0) return false;
    for (T x : losses)
      if (x != 0) return false;
    return true;
  }
};

template <class Objective>
void prove(const char* name, batch const& b, Objective const& objective, row_loss const& reference) {
  CAPTURE(name);
  CAPTURE(b.columns);
  const answer<double> seen(objective, b.logits, b.rows);
  double worst_value = 0, worst_gradient = 0;
  for (hone::index i = 0; i < b.rows; ++i)
    for (hone::index k = 0; k < b.columns; ++k) {
      duals z, t;
      for (hone::index c = 0; c < b.columns; ++c) {
        z.push_back(dual(b.logits[std::size_t(i * b.columns + c)], c == k ? 1.0 : 0.0));
        t.push_back(dual(b.teacher[std::size_t(i * b.columns + c)]));
      }
      const dual expected = reference(z, t, b.labels[std::size_t(i)]);
      const double scale = 10 + std::abs(expected.v);
      worst_value = std::max(worst_value, std::abs(seen.losses[std::size_t(i)] - expected.v) / scale);
      worst_gradient =
          std::max(worst_gradient, std::abs(seen.gradient[std::size_t(i * b.columns + k)] - expected.d) / scale);
    }
  CHECK(worst_value <= 1e-12);
  CHECK(worst_gradient <= 1e-12);
}

/// Logits of every size against teachers of every size: nothing overflows.
template <class T, class Make>
void stays_finite(const char* name, Make const& make) {
  CAPTURE(name);
  for (const std::size_t K : {std::size_t(2), std::size_t(7), std::size_t(40)})
    for (const double size : {0.0, 1e-3, 1.0, 50.0, 1e4})
      for (const double taught : {0.0, 1.0, 1e4})
        for (const double temperature : {0.25, 1.0, 20.0}) {
          CAPTURE(size);
          CAPTURE(taught);
          CAPTURE(temperature);
          std::vector<T> z, t;
          for (std::size_t c = 0; c < 3 * K; ++c) {
            z.push_back(static_cast<T>(c % 5 == 1 ? size : -size));
            t.push_back(static_cast<T>(c % 7 == 2 ? taught : -taught));
          }
          const hone::matrix_view teacher{t.data(), 3, K};
          CHECK(answer<T>(make(teacher, temperature), z, 3).finite());
          const answer<T> same(make(hone::matrix_view{z.data(), 3, K}, temperature), z, 3);
          CHECK(same.zero());
        }
}

const auto reverse = [](auto teacher, double T) { return hone::reverse_distillation(teacher, T); };
const auto between = [](auto teacher, double T) { return hone::jensen_shannon_distillation(teacher, T); };

}  // namespace

TEST_CASE("divergences and their gradients") {
  for (const hone::index K : {1, 2, 7, 33, 100}) {
    const batch b(K);
    const auto teacher = b.view(b.teacher);
    for (const double T : {0.5, 1.0, 2.0, 3.0, 4.0, 10.0}) {
      prove("reverse_distillation", b, hone::reverse_distillation(teacher, T), reversed(T));
      for (const double beta : {0.1, 0.5, 0.9})
        prove("jensen_shannon_distillation", b, hone::jensen_shannon_distillation(teacher, T, {.beta = beta}),
              jensen_shannon(T, beta));
    }
    prove("a sum", b,
          0.5 * hone::cross_entropy(hone::classes(b.labels)) + hone::jensen_shannon_distillation(teacher, 2) +
              0.25 * hone::reverse_distillation(teacher, 4),
          [](duals const& z, duals const& t, int label) {
            return dual(-0.5) * log_softmax(z, 1)[std::size_t(label)] + jensen_shannon(2, 0.5)(z, t, label) +
                   dual(0.25) * reversed(4)(z, t, label);
          });
  }
}

TEST_CASE("divergences are finite for finite logits, and 0 where the student is the teacher") {
  stays_finite<float>("reverse_distillation", reverse);
  stays_finite<double>("reverse_distillation", reverse);
  stays_finite<float>("jensen_shannon_distillation", between);
  stays_finite<double>("jensen_shannon_distillation", between);
}

TEST_CASE("a class that the teacher rules out") {
  for (const hone::index K : {3, 70}) {
    std::vector<double> z = noise(0, K), t = noise(100, K);
    t[1] = -infinity;
    std::vector<double> without_z = z, without_t = t;
    without_z.erase(without_z.begin() + 1), without_t.erase(without_t.begin() + 1);
    const answer<double> seen(hone::reverse_distillation(hone::matrix_view{t.data(), 1, K}, 2), z, 1);
    const answer<double> rest(hone::reverse_distillation(hone::matrix_view{without_t.data(), 1, K - 1}, 2), without_z,
                              1);
    CHECK(seen.losses[0] == doctest::Approx(rest.losses[0]).epsilon(1e-13));
    CHECK(seen.gradient[1] == 0);
    CHECK(seen.gradient[0] == doctest::Approx(rest.gradient[0]).epsilon(1e-12));
    CHECK(seen.gradient[2] == doctest::Approx(rest.gradient[1]).epsilon(1e-12));

    // The mixture has the student's probability there: finite, and the same as from a very low logit.
    const answer<double> mixed(between(hone::matrix_view{t.data(), 1, K}, 2), z, 1);
    t[1] = -1e4;
    const answer<double> low(between(hone::matrix_view{t.data(), 1, K}, 2), z, 1);
    CHECK(mixed.finite());
    CHECK(mixed.losses == low.losses);
    CHECK(mixed.gradient == low.gradient);
    CHECK(mixed.gradient[1] > 0);

    // What both rule out is nothing to either.
    z[1] = t[1] = -infinity;
    const hone::matrix_view both{t.data(), 1, K};
    CHECK(answer<double>(reverse(both, 2), z, 1).losses[0] == doctest::Approx(rest.losses[0]).epsilon(1e-13));
    CHECK(answer<double>(between(both, 2), z, 1).finite());
  }
}

TEST_CASE("Jensen-Shannon is bounded, and turns into the other divergences") {
  const std::vector<double> z{100, 0}, t{0, 100};
  const hone::matrix_view teacher{t.data(), 1, 2};
  CHECK(answer<double>(between(teacher, 1), z, 1).losses[0] == doctest::Approx(std::log(2)).epsilon(1e-14));
  const std::vector<double> a{1, -0.5, 0.25}, b{0, 0.5, -2};
  const hone::matrix_view of_b{b.data(), 1, 3};
  const double small = 1e-6;
  CHECK(answer<double>(hone::jensen_shannon_distillation(of_b, 3, {.beta = small}), a, 1).losses[0] / small ==
        doctest::Approx(answer<double>(hone::distillation(of_b, 3), a, 1).losses[0]).epsilon(1e-5));
  CHECK(answer<double>(hone::jensen_shannon_distillation(of_b, 3, {.beta = 1 - small}), a, 1).losses[0] / small ==
        doctest::Approx(answer<double>(hone::reverse_distillation(of_b, 3), a, 1).losses[0]).epsilon(1e-5));
}
