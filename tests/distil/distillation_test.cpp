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

/// The two parts of the paper, with p_y and its complement as they are written there.
struct parts {
  dual label, others;
};
parts decoupled(duals const& z, duals const& t, int y, double T) {
  const duals s = log_softmax(z, T), p = log_softmax(t, T);
  dual rest_s(0), rest_p(0), label(0), none(0);
  for (std::size_t c = 0; c < z.size(); ++c)
    if (int(c) != y) rest_s = rest_s + exp(s[c]), rest_p = rest_p + exp(p[c]);
  const std::size_t of_y = std::size_t(y);
  label = exp(p[of_y]) * (p[of_y] - s[of_y]) + rest_p * (log(rest_p) - log(rest_s));
  if (z.size() == 1) return {none, none};
  return {label, divergence(log_softmax(t, T, y), log_softmax(z, T, y), y)};
}
row_loss decoupled(double T, double alpha, double beta) {
  return [=](duals const& z, duals const& t, int y) {
    const parts of = decoupled(z, t, y, T);
    return dual(T * T) * (dual(alpha) * of.label + dual(beta) * of.others);
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
const std::vector<int> of_three{0, 1, 0};
const auto by_label = [](auto teacher, double T) {
  return hone::decoupled_distillation(hone::classes(of_three), teacher, T);
};
const auto between = [](auto teacher, double T) { return hone::jensen_shannon_distillation(teacher, T); };

}  // namespace

TEST_CASE("divergences and their gradients match dual numbers") {
  for (const hone::index K : {1, 2, 7, 33, 100}) {
    const batch b(K);
    const auto teacher = b.view(b.teacher);
    for (const double T : {0.5, 1.0, 2.0, 3.0, 4.0, 10.0}) {
      prove("reverse_distillation", b, hone::reverse_distillation(teacher, T), reversed(T));
      for (const double beta : {0.1, 0.5, 0.9})
        prove("jensen_shannon_distillation", b, hone::jensen_shannon_distillation(teacher, T, {.beta = beta}),
              jensen_shannon(T, beta));
    }
    for (const double T : {0.5, 1.0, 4.0})
      for (const double alpha : {0.0, 1.0, 2.5})
        for (const double beta : {0.0, 1.0, 8.0})
          prove("decoupled_distillation", b,
                hone::decoupled_distillation(hone::classes(b.labels), teacher, T, {.alpha = alpha, .beta = beta}),
                decoupled(T, alpha, beta));
    prove("a sum with labels of its own", b,
          0.5 * hone::cross_entropy(hone::classes(b.labels)) +
              0.25 * hone::decoupled_distillation(hone::classes(b.labels), teacher, 4),
          [](duals const& z, duals const& t, int y) {
            return dual(-0.5) * log_softmax(z, 1)[std::size_t(y)] + dual(0.25) * decoupled(4, 1, 8)(z, t, y);
          });
    prove("a sum", b,
          0.5 * hone::cross_entropy(hone::classes(b.labels)) + hone::jensen_shannon_distillation(teacher, 2) +
              0.25 * hone::reverse_distillation(teacher, 4),
          [](duals const& z, duals const& t, int label) {
            return dual(-0.5) * log_softmax(z, 1)[std::size_t(label)] + jensen_shannon(2, 0.5)(z, t, label) +
                   dual(0.25) * reversed(4)(z, t, label);
          });
  }
}

TEST_CASE("divergences are finite for finite logits, and 0 if the student equals the teacher") {
  stays_finite<float>("reverse_distillation", reverse);
  stays_finite<double>("reverse_distillation", reverse);
  stays_finite<float>("jensen_shannon_distillation", between);
  stays_finite<double>("jensen_shannon_distillation", between);
  stays_finite<float>("decoupled_distillation", by_label);
  stays_finite<double>("decoupled_distillation", by_label);
}

TEST_CASE("a teacher logit of -inf removes the class from reverse_distillation; Jensen-Shannon is finite") {
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

TEST_CASE("jensen_shannon_distillation is at most log 2, and its limits in beta are the other divergences") {
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

TEST_CASE("decoupled_distillation splits distillation into its two parts as the paper does") {
  // Equation 7 of the paper: KL(t ‖ s) = TCKD + (1 - t_y) NCKD.
  const batch b(7);
  const auto taught = b.view(b.teacher);
  const answer<double> whole(hone::distillation(taught, 2), b.logits, b.rows);
  const auto label = hone::classes(b.labels);
  const answer<double> first(hone::decoupled_distillation(label, taught, 2, {.alpha = 1, .beta = 0}), b.logits, b.rows);
  const answer<double> other(hone::decoupled_distillation(label, taught, 2, {.alpha = 0, .beta = 1}), b.logits, b.rows);
  for (std::size_t i = 0; i < 5; ++i) {
    duals t;
    for (std::size_t c = 0; c < 7; ++c) t.push_back(dual(b.teacher[i * 7 + c]));
    const double sure = std::exp(log_softmax(t, 2)[std::size_t(b.labels[i])].v);
    CHECK(whole.losses[i] == doctest::Approx(first.losses[i] + (1 - sure) * other.losses[i]).epsilon(1e-12));
  }
}

TEST_CASE("decoupled_distillation keeps its accuracy if student and teacher are both certain of the label") {
  // The label is far above all others, in the teacher and in the student: in float its probability is 1, and what
  // remains is how the others are ranked, and by how much the complements differ.
  const std::vector<int> label{1};
  for (const std::size_t K : {std::size_t(4), std::size_t(60)})
    for (const float above : {40.0f, 1e4f}) {
      std::vector<float> z(K), t(K);
      std::vector<dual> exact_z, exact_t;
      for (std::size_t c = 0; c < K; ++c) {
        z[c] = c == 1 ? above : static_cast<float>(c % 3), t[c] = c == 1 ? above + 2 : static_cast<float>(c % 4);
        exact_z.push_back(dual(double(z[c]), c == 2)), exact_t.push_back(dual(double(t[c])));
      }
      const hone::matrix_view teacher{t.data(), 1, K};
      const answer<float> seen(hone::decoupled_distillation(hone::classes(label), teacher, 1), z, 1);
      const dual of_others = divergence(log_softmax(exact_t, 1, 1), log_softmax(exact_z, 1, 1), 1);
      CHECK(double(seen.losses[0]) / (8 * of_others.v) == doctest::Approx(1).epsilon(1e-5));
      CHECK(double(seen.gradient[2]) / (8 * of_others.d) == doctest::Approx(1).epsilon(1e-5));
      const answer<float> sure(hone::decoupled_distillation(hone::classes(label), teacher, 1, {.beta = 0}), z, 1);
      double of_z = 0, of_t = 0;  // 1 - p_y, to the first order
      for (std::size_t c = 0; c < K; ++c)
        if (c != 1) of_z += std::exp(double(z[c] - z[1])), of_t += std::exp(double(t[c] - t[1]));
      if (above > 40)
        CHECK(sure.gradient[1] == 0);
      else
        CHECK(double(sure.gradient[1]) / (of_t - of_z) == doctest::Approx(1).epsilon(1e-5));
    }
}

TEST_CASE("decoupled_distillation is finite if the teacher has logits of -inf") {
  const std::vector<int> label{1};
  const std::vector<double> z{0.5, 1, -2, 0.25}, others{0, -infinity, 1, 2}, one{0, 1, -infinity, 2},
      only{-infinity, 3, -infinity, -infinity};
  const auto made = [&](auto const& t) {
    return answer<double>(hone::decoupled_distillation(hone::classes(label), hone::matrix_view{t.data(), 1, 4}, 2), z,
                          1);
  };
  CHECK(made(others).finite());  // the label
  CHECK(made(one).finite());
  const answer<double> sure = made(only);  // all but the label: nothing is left to rank
  const double odds = std::exp(0.5) / (std::exp(0.25) + std::exp(-1.0) + std::exp(0.125));
  CHECK(sure.losses[0] == doctest::Approx(4 * std::log(1 + 1 / odds)).epsilon(1e-13));
  CHECK(sure.gradient[1] == doctest::Approx(2 * (odds / (1 + odds) - 1)).epsilon(1e-13));
}
