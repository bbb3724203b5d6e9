// SPDX-License-Identifier: MIT
// The relative accuracy of the divergences if student and teacher are close to each other: at high temperatures, and
// for students that have almost learnt their teacher. The budgets are those of docs/numerics.md.
#include <hone/hone.hpp>

#include <support/long_double.hpp>

#include <doctest/doctest.h>

#include <algorithm>
#include <cmath>
#include <cstdint>
#include <cstdio>
#include <cstdlib>
#include <random>
#include <vector>

namespace {

using real = long double;
using row = std::vector<real>;

/// log softmax(z / T) over the classes that are not `without`.
row log_softmax(row const& z, real T, int without = -1) {
  real most = -1e300L, total = 0;
  for (std::size_t c = 0; c < z.size(); ++c)
    if (int(c) != without) most = std::max(most, z[c]);
  for (std::size_t c = 0; c < z.size(); ++c)
    if (int(c) != without) total += std::exp((z[c] - most) / T);
  row logs;
  for (const real x : z) logs.push_back((x - most) / T - std::log(total));
  return logs;
}
/// KL(p ‖ q) = Σ p (q/p - 1 - log q/p), for both sum to 1: no term is negative.
real divergence(row const& log_p, row const& log_q, int without = -1) {
  real sum = 0;
  for (std::size_t c = 0; c < log_p.size(); ++c)
    if (int(c) != without) {
      const real d = log_q[c] - log_p[c];
      sum += std::exp(log_p[c]) * (std::expm1(d) - d);
    }
  return sum;
}

struct answer {
  real loss = 0;
  row gradient;
};
answer forward(row const& z, row const& t, real T) {
  const row s = log_softmax(z, T), p = log_softmax(t, T);
  answer a{T * T * divergence(p, s), {}};
  for (std::size_t c = 0; c < z.size(); ++c) a.gradient.push_back(T * std::exp(p[c]) * std::expm1(s[c] - p[c]));
  return a;
}
answer reversed(row const& z, row const& t, real T) {
  const row s = log_softmax(z, T), p = log_softmax(t, T);
  const real kl = divergence(s, p);
  answer a{T * T * kl, {}};
  for (std::size_t c = 0; c < z.size(); ++c) a.gradient.push_back(T * std::exp(s[c]) * (s[c] - p[c] - kl));
  return a;
}
answer jensen_shannon(row const& z, row const& t, real T, real beta) {
  const row s = log_softmax(z, T), p = log_softmax(t, T);
  row m;  // from s: their difference is small
  for (std::size_t c = 0; c < z.size(); ++c) m.push_back(s[c] + std::log1p(beta * std::expm1(p[c] - s[c])));
  const real own = divergence(s, m);
  answer a{T * T * (beta * divergence(p, m) + (1 - beta) * own), {}};
  for (std::size_t c = 0; c < z.size(); ++c)
    a.gradient.push_back(T * (1 - beta) * std::exp(s[c]) * (s[c] - m[c] - own));
  return a;
}
answer decoupled(row const& z, row const& t, int y, real T, real alpha, real beta) {
  const row s = log_softmax(z, T), p = log_softmax(t, T), u = log_softmax(z, T, y), v = log_softmax(t, T, y);
  real rest_s = 0, rest_p = 0;
  for (std::size_t c = 0; c < z.size(); ++c)
    if (int(c) != y) rest_s += std::exp(s[c]), rest_p += std::exp(p[c]);
  const std::size_t of_y = std::size_t(y);
  const row student{s[of_y], std::log(rest_s)}, teacher{p[of_y], std::log(rest_p)};
  answer a{T * T * (alpha * divergence(teacher, student) + beta * divergence(v, u, y)), {}};
  const real surer = std::exp(teacher[0]) * std::expm1(student[0] - teacher[0]);
  for (std::size_t c = 0; c < z.size(); ++c)
    a.gradient.push_back(c == of_y
                             ? T * alpha * surer
                             : T * (beta * std::exp(v[c]) * std::expm1(u[c] - v[c]) - alpha * surer * std::exp(u[c])));
  return a;
}

/// Logits of a teacher, and of a student that is `apart` from it.
template <class T>
struct pair_of_models {
  hone::index rows, columns;
  std::vector<T> z, t;

  pair_of_models(hone::index n, hone::index K, double apart, double spread, unsigned seed) : rows(n), columns(K) {
    std::mt19937 random(seed);
    std::normal_distribution<double> normal;
    for (hone::index i = 0; i < n * K; ++i) {
      t.push_back(static_cast<T>(spread * normal(random)));
      z.push_back(static_cast<T>(double(t.back()) + apart * normal(random)));
    }
  }
  hone::matrix_view<const T> view(std::vector<T> const& x) const { return {x.data(), rows, columns}; }
  row numbers(std::vector<T> const& x, hone::index i) const {
    return row(x.begin() + i * columns, x.begin() + (i + 1) * columns);
  }
};

struct errors {
  double value = 0, gradient = 0;
  bool negative = false;
};

/// The largest errors of the rows: of a loss relative to itself, of a gradient to the largest of its row.
template <class T, class Objective, class Reference>
errors errors_of(pair_of_models<T> const& b, Objective const& objective, Reference const& reference) {
  std::vector<T> gradient(b.z.size());
  std::vector<T> losses(std::size_t(b.rows));
  hone::evaluate(hone::cpu(1), objective, b.view(b.z),
                 {.gradient = {gradient.data(), b.rows, b.columns}, .unreduced = losses.data()}, hone::sum);
  errors e;
  for (hone::index i = 0; i < b.rows; ++i) {
    const answer a = reference(b.numbers(b.z, i), b.numbers(b.t, i), i);
    const T loss = losses[std::size_t(i)];
    e.negative |= !(loss >= 0);
    e.value = std::max(e.value, double(std::abs(real(loss) - a.loss) / a.loss));
    real most = 0, off = 0;
    for (hone::index c = 0; c < b.columns; ++c) {
      const real expected = a.gradient[std::size_t(c)], seen = gradient[std::size_t(i * b.columns + c)];
      most = std::max(most, std::abs(expected)), off = std::max(off, std::abs(seen - expected));
    }
    e.gradient = std::max(e.gradient, double(off / most));
  }
  return e;
}

/// An error of a part of 2^24 of a logit, of about 4, is this part of a difference of `apart`.
struct budget {
  double value, gradient, of_logits;

  double of_value(double apart) const { return value + of_logits / apart; }
  double of_gradient(double apart) const { return gradient + 2 * of_logits / apart; }
};
constexpr budget in_float{3e-5, 4e-6, 5e-7}, in_double{1e-10, 1e-10, 1e-12};

template <class T, class Make, class Reference>
void hold(const char* name, Make const& make, Reference const& reference, budget most, double hottest = 1e6) {
  for (const hone::index K : {2, 3, 10, 37, 200, 1000})
    for (const double apart : {1.0, 0.1, 1e-2, 1e-3})
      for (const double temperature : {1.0, 2.0, 4.0, 8.0, 20.0, 100.0, 1e3, 1e4, 1e5, 1e6}) {
        if (apart / temperature < 1e-8 || temperature > hottest) continue;
        const pair_of_models<T> b(7, K, apart, K == 37 ? 4 : 1, unsigned(K));
        const errors e = errors_of<T>(b, make(b, temperature), [&](row const& z, row const& t, hone::index i) {
          return reference(z, t, i, temperature);
        });
        CAPTURE(name);
        CAPTURE(K);
        CAPTURE(apart);
        CAPTURE(temperature);
        CHECK(e.value <= most.of_value(apart));
        CHECK(e.gradient <= most.of_gradient(apart));
        CHECK(!e.negative);
      }
}

template <class T>
void hold_all(budget most) {
  hold<T>(
      "distillation", [](auto const& b, double to) { return hone::distillation(b.view(b.t), to); },
      [](row const& z, row const& t, hone::index, real to) { return forward(z, t, to); }, most);
  hold<T>(
      "reverse_distillation", [](auto const& b, double to) { return hone::reverse_distillation(b.view(b.t), to); },
      [](row const& z, row const& t, hone::index, real to) { return reversed(z, t, to); }, most);
  for (const double beta : {0.5, 0.1})
    hold<T>(
        "jensen_shannon_distillation",
        [&](auto const& b, double to) { return hone::jensen_shannon_distillation(b.view(b.t), to, {.beta = beta}); },
        [&](row const& z, row const& t, hone::index, real to) { return jensen_shannon(z, t, to, beta); }, most);

  std::vector<int> labels(7);
  const auto label_of = [](hone::index i, hone::index K) { return int(i * 5 % K); };
  for (const double beta : {0.0, 1.0}) {  // the label's part alone may be small by chance
    const double times = beta == 0 ? 100 : 3;
    hold<T>(
        "decoupled_distillation",
        [&](auto const& b, double to) {
          for (hone::index i = 0; i < b.rows; ++i) labels[std::size_t(i)] = label_of(i, b.columns);
          return hone::decoupled_distillation(hone::classes(labels), b.view(b.t), to, {.alpha = 1, .beta = beta});
        },
        [&](row const& z, row const& t, hone::index i, real to) {
          return decoupled(z, t, label_of(i, hone::index(z.size())), to, 1, beta);
        },
        {times * most.value, times * most.gradient, times * most.of_logits});
  }
}

/// The k likeliest classes of softmax(t / T), the others as one.
struct listed_classes {
  hone::top_k_batch batch;

  template <class T>
  listed_classes(pair_of_models<T> const& b, hone::index k, double temperature) {
    batch.rows = b.rows, batch.columns = b.columns, batch.k = k, batch.temperature = temperature;
    for (hone::index i = 0; i < b.rows; ++i) {
      const row p = log_softmax(b.numbers(b.t, i), temperature);
      std::vector<std::int32_t> order;
      order.reserve(p.size());
      for (std::size_t c = 0; c < p.size(); ++c) order.push_back(std::int32_t(c));
      std::sort(order.begin(), order.end(), [&](auto a, auto c) { return p[std::size_t(a)] > p[std::size_t(c)]; });
      real others = 0;
      for (std::size_t j = std::size_t(k); j < p.size(); ++j) others += std::exp(p[std::size_t(order[j])]);
      std::sort(order.begin(), order.begin() + k);
      for (hone::index j = 0; j < k; ++j) {
        batch.classes.push_back(order[std::size_t(j)]);
        batch.log_probabilities.push_back(float(p[std::size_t(order[std::size_t(j)])]));
      }
      batch.rest.push_back(float(std::log(others)));
    }
  }
  answer of(row const& z, hone::index i) const {
    const real T = batch.temperature;
    const row s = log_softmax(z, T);
    const auto at = [&](hone::index j) { return std::size_t(i * batch.k + j); };
    row p, q;  // the bins of both, the others last
    std::vector<bool> is_listed(z.size());
    real total = std::exp(real(batch.rest[std::size_t(i)])), others = 0;
    for (hone::index j = 0; j < batch.k; ++j) {
      is_listed[std::size_t(batch.classes[at(j)])] = true;
      p.push_back(batch.log_probabilities[at(j)]), q.push_back(s[std::size_t(batch.classes[at(j)])]);
      total += std::exp(p.back());
    }
    for (std::size_t c = 0; c < z.size(); ++c)
      if (!is_listed[c]) others += std::exp(s[c]);
    p.push_back(batch.rest[std::size_t(i)]), q.push_back(std::log(others));
    for (real& x : p) x -= std::log(total);
    answer a{T * T * divergence(p, q), row(z.size())};
    for (hone::index j = 0; j < batch.k; ++j) {
      const std::size_t b = std::size_t(j);
      a.gradient[std::size_t(batch.classes[at(j)])] = T * std::exp(p[b]) * std::expm1(q[b] - p[b]);
    }
    for (std::size_t c = 0; c < z.size(); ++c)
      if (!is_listed[c]) a.gradient[c] = T * std::exp(s[c]) * -std::expm1(p.back() - q.back());
    return a;
  }
};

template <class T>
void hold_lists(budget most, double hottest) {
  for (const hone::index k : {4, 16})
    for (const hone::index K : {20, 200, 1000})
      for (const double apart : {1.0, 0.1})
        for (const double temperature : {1.0, 2.0, 4.0, 8.0, 20.0, 100.0, 1e3, 1e4}) {
          if (k >= K || temperature > hottest) continue;
          const pair_of_models<T> b(7, K, apart, 2, unsigned(K));
          const listed_classes lists(b, k, temperature);
          const errors e = errors_of<T>(b, hone::top_k_distillation(lists.batch),
                                        [&](row const& z, row const&, hone::index i) { return lists.of(z, i); });
          CAPTURE(k);
          CAPTURE(K);
          CAPTURE(apart);
          CAPTURE(temperature);
          CHECK(e.value <= most.of_value(apart / temperature));
          CHECK(e.gradient <= most.of_gradient(apart / temperature));
          CHECK(!e.negative);
        }
}

}  // namespace

TEST_CASE("divergences stay within their error budgets: float") { hold_all<float>(in_float); }
TEST_CASE("divergences stay within their error budgets: double") {
  if (support::long_double_is_wider()) hold_all<double>(in_double);
}
TEST_CASE("top_k_distillation stays within its error budgets") {
  hold_lists<float>({1e-4, 1e-4, 4e-6}, 1e3);
  hold_lists<double>({1e-10, 1e-10, 1e-11}, 1e3);
}
TEST_CASE("divergences and their gradients are exactly 0 for equal logits") {
  for (const double temperature : {0.01, 1.0, 3.0, 1e3, 1e6})
    for (const hone::index K : {1, 2, 10, 1000}) {
      const pair_of_models<float> b(5, K, 0, 3, 1);
      const std::vector<int> labels(5, int(K / 2));
      const auto zero = [&](auto const& objective) {
        std::vector<float> gradient(b.z.size()), losses(5);
        hone::evaluate(hone::cpu(1), objective, b.view(b.z),
                       {.gradient = {gradient.data(), 5, K}, .unreduced = losses.data()});
        return losses == std::vector<float>(5) && gradient == std::vector<float>(b.z.size());
      };
      CAPTURE(temperature);
      CAPTURE(K);
      CHECK(zero(hone::distillation(b.view(b.t), temperature)));
      CHECK(zero(hone::reverse_distillation(b.view(b.t), temperature)));
      CHECK(zero(hone::jensen_shannon_distillation(b.view(b.t), temperature)));
      CHECK(zero(hone::decoupled_distillation(hone::classes(labels), b.view(b.t), temperature)));
    }
}
