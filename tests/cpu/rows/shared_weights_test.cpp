// SPDX-License-Identifier: MIT
// Terms with the same softmax share its weights: a sum of terms has the sum of the gradients of each term alone.
#include <hone/hone.hpp>

#include <support/numbers.hpp>

#include <doctest/doctest.h>

#include <cmath>
#include <limits>
#include <span>
#include <vector>

namespace {

/// Logits, two teachers and labels of 5 rows.
struct batch {
  hone::index columns;
  std::vector<double> z, first, second;
  std::vector<int> labels;

  explicit batch(hone::index K)
      : columns(K),
        z(support::noise(0, 5 * K)),
        first(support::noise(1000, 5 * K)),
        second(support::noise(2000, 5 * K)) {
    for (hone::index i = 0; i < 5; ++i) labels.push_back(static_cast<int>(i * 7 % K));
  }
  hone::matrix_view<const double> view(std::vector<double> const& x) const { return {x.data(), 5, columns}; }
  auto classes() const { return hone::classes(labels); }
};

std::vector<double> gradient_of(batch const& b, auto const& objective) {
  std::vector<double> g(b.z.size());
  hone::evaluate(hone::cpu(1), objective, b.view(b.z), {.gradient = {g.data(), 5, b.columns}}, hone::sum);
  return g;
}

/// The sum of the terms has the sum of their gradients.
template <class... Term>
void adds_up(const char* name, batch const& b, Term const&... term) {
  CAPTURE(name);
  CAPTURE(b.columns);
  const std::vector<double> together = gradient_of(b, (term + ...));
  std::vector<double> apart(b.z.size());
  const auto add = [&](std::vector<double> const& g) {
    for (std::size_t i = 0; i < g.size(); ++i) apart[i] += g[i];
  };
  (add(gradient_of(b, term)), ...);
  double worst = 0;
  for (std::size_t i = 0; i < apart.size(); ++i) worst = std::max(worst, std::abs(apart[i] - together[i]));
  CHECK(worst <= 1e-12);
}

/// Replaces the weights exp(z / T), which softmax<> could be computed from, and has no gradient.
struct replacing_term : hone::row_term_base {
  using statistics = hone::row::list<hone::row::tempered<>>;
  using close_sweep = hone::row::sweep<1, hone::row::all, 0>;

  double temperature;

  explicit replacing_term(double temperature_) : temperature(temperature_) {}

  template <hone::operand V>
  struct result {
    V loss;
  };

  template <hone::operand V>
  auto is_close(hone::row::exponentials<V> const& s) const {
    return s.sum > V(0);
  }
  template <hone::operand V, class E>
  hone::row::replaced<V, 1> close(hone::row::exponentials<V> const&, E const& e) const {
    return {{{hone::row::weight(e)}}, V(7)};
  }
  template <hone::operand V>
  result<V> finish(hone::row::exponentials<V> const&, hone::bundle<V, 1> const&) const {
    return {V(0)};
  }
  template <hone::operand V, class E>
  V gradient(result<V> const& r, E const&) const {
    return r.loss;
  }
};

}  // namespace

TEST_CASE("a sum of terms that share a softmax has the sum of their gradients") {
  for (const hone::index K : {1, 2, 10, 33, 100, 5000})
    for (const double T : {1.0, 2.0, 3.0, 4.0}) {
      CAPTURE(T);
      const batch b(K);
      const auto first = b.view(b.first), second = b.view(b.second);
      adds_up("two teachers", b, hone::distillation(first, T), hone::distillation(second, T));
      adds_up("the same term twice", b, hone::distillation(first, T), hone::distillation(first, T));
      adds_up("three divergences", b, hone::jensen_shannon_distillation(first, T), hone::distillation(first, T),
              hone::reverse_distillation(first, T), hone::cross_entropy(b.classes()));
      adds_up("other temperatures", b, hone::distillation(first, T), hone::jensen_shannon_distillation(first, 5),
              hone::softmax_focal_loss(b.classes()));
      adds_up("bins", b, hone::cross_entropy(b.classes()), hone::expected_bin(), hone::distillation(second, T));
      adds_up("margins", b, hone::ldam_loss(b.classes(), std::span(b.first).first(std::size_t(K)), {.scale = 1}),
              hone::z_loss(0.5), hone::decoupled_distillation(b.classes(), first, T));
      adds_up("a term that replaces weights", b, replacing_term(T), hone::cross_entropy(b.classes()),
              hone::jensen_shannon_distillation(first, T));
    }
}

TEST_CASE("a class with a teacher logit of -inf has no influence, however large its logit") {
  const float inf = std::numeric_limits<float>::infinity();
  const std::vector<float> teacher{1, -inf, 0, 2};
  for (const float far : {-50.0f, 50.0f, 90.0f, 120.0f, 3e4f}) {
    CAPTURE(far);
    const std::vector<float> z{0.5f, far, -1, 0.5f};
    std::vector<float> gradient(4), without(3);
    const double loss =
        hone::evaluate(hone::cpu(1), hone::reverse_distillation(hone::matrix_view{teacher.data(), 1, 4}, 2),
                       hone::matrix_view{z.data(), 1, 4}, {.gradient = {gradient.data(), 1, 4}});
    const std::vector<float> three{0.5f, -1, 0.5f}, allowed{1, 0, 2};
    const double expected =
        hone::evaluate(hone::cpu(1), hone::reverse_distillation(hone::matrix_view{allowed.data(), 1, 3}, 2),
                       hone::matrix_view{three.data(), 1, 3}, {.gradient = {without.data(), 1, 3}});
    CHECK(loss == doctest::Approx(expected).epsilon(1e-6));
    CHECK(gradient[1] == 0);
    CHECK(gradient[0] == doctest::Approx(without[0]).epsilon(1e-5));
    CHECK(gradient[2] == doctest::Approx(without[1]).epsilon(1e-5));
    CHECK(gradient[3] == doctest::Approx(without[2]).epsilon(1e-5));
  }
}
