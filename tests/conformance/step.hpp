// SPDX-License-Identifier: MIT
/// What every backend must answer for a whole step of training.
#pragma once

#include <conformance/batch.hpp>
#include <support/numbers.hpp>

#include <cmath>
#include <limits>
#include <vector>

namespace conformance {

/// SGD with momentum. Gradients come first, after all factors.
struct sgd_rule {
  double rate, momentum;

  template <hone::operand V>
  HONE_HD void operator()(V const& g, V& p, V& m) const {
    m = V(momentum) * m + g;
    p -= V(rate) * m;
  }
};
/// The same on single numbers.
struct sgd_rule_of_floats {
  float rate, momentum;

  HONE_HD void operator()(float const& g, float& p, float& m) const {
    m = momentum * m + g;
    p -= rate * m;
  }
};

/// Parameters of T, gradients of G and momenta, in tensors of every length, one behind the other at odd distances.
template <class Device, class T, class G>
struct step_problem {
  using A = hone::accumulator_t<T>;
  static constexpr index gap = 3;

  std::vector<index> sizes{1000, 0, 1, 63, 64, 65, 40000, 17};
  std::vector<G> g;
  std::vector<T> p = noise<T>(0);
  std::vector<A> m = noise<A>(2 << 20);
  typename Device::template buffer<G> gradients{g};
  typename Device::template buffer<T> parameters{p};
  typename Device::template buffer<A> momenta{m};
  std::vector<bool> listed = places();

  step_problem() : g(noise<G>(3 << 20)) {}
  /// All gradients are 0 but one.
  explicit step_problem(G one) : g(zeros_but(one)) {}

  template <class X>
  hone::tensor_list<X> list(X* data) const {
    hone::tensor_list<X> all;
    index at = 1;
    for (const index n : sizes) all.push_back({data + at, n}), at += n + gap;
    return all;
  }
  hone::tensor_list<const G> gradient_list() const { return list(static_cast<G const*>(gradients.data())); }
  hone::tensor_list<T> parameter_list() const { return list(parameters.data()); }
  hone::tensor_list<A> momentum_list() const { return list(momenta.data()); }

  double norm() const {
    double squares = 0;
    for (std::size_t i = 0; i < g.size(); ++i)
      if (listed[i]) squares += number(g[i]) * number(g[i]);
    return std::sqrt(squares);
  }
  template <class X>
  static double number(X x) {
    return static_cast<double>(static_cast<hone::accumulator_t<X>>(x));
  }

  /// Compares with a step of gradients times `factor`, and returns the new parameters.
  std::vector<double> expect_step(double factor, double rate, double momentum) const {
    const auto new_p = parameters.host();
    const auto new_m = momenta.host();
    std::vector<double> result;
    index wrong = 0;
    for (std::size_t i = 0; i < p.size(); ++i) {
      const double velocity = listed[i] ? momentum * number(m[i]) + factor * number(g[i]) : number(m[i]);
      const double parameter = listed[i] ? number(p[i]) - rate * velocity : number(p[i]);
      wrong += !(std::abs(number(new_m[i]) - velocity) <= 8 * tolerance<A>) ||
               !(std::abs(number(new_p[i]) - parameter) <= 8 * tolerance<T>);
      if (listed[i]) result.push_back(number(new_p[i]));
    }
    CHECK(wrong == 0);
    return result;
  }
  void expect_nothing() const {
    CHECK(parameters.host() == p);
    CHECK(momenta.host() == m);
  }

 private:
  std::vector<G> zeros_but(G one) const {
    std::vector<G> v(std::size_t(all()), G(0));
    v[5] = one;
    return v;
  }
  index all() const {
    index n = 1;
    for (const index size : sizes) n += size + gap;
    return n;
  }
  std::vector<bool> places() const {
    std::vector<bool> is(std::size_t(all()), false);
    index at = 1;
    for (const index n : sizes) {
      for (index i = at; i < at + n; ++i) is[std::size_t(i)] = true;
      at += n + gap;
    }
    return is;
  }
  template <class X>
  std::vector<X> noise(index from) const {
    std::vector<X> v;
    for (const double x : support::noise(from, all()))
      v.push_back(static_cast<X>(static_cast<hone::accumulator_t<X>>(x)));
    return v;
  }
};

template <class Device, class T, class G>
void step_of_types() {
  using problem = step_problem<Device, T, G>;
  using S = hone::accumulator_t<T>;
  {
    const problem a;
    const auto report = Device::step(hone::chain(hone::unscale(2), hone::clip_by_global_norm(1)), sgd_rule{0.125, 0.75},
                                     a.gradient_list(), a.parameter_list(), a.momentum_list());
    CHECK(report.finite);
    CHECK(report.norm == doctest::Approx(a.norm() / 2).epsilon(1e-5));
    a.expect_step(1 / a.norm(), 0.125, 0.75);
  }
  {
    const problem a;
    typename Device::template averages<S> average(a.parameter_list(), {});
    average.state.copy_only(3);
    const hone::ema ema{.decay = 0.75, .update_after = 1};
    std::vector<double> first, second;
    for (std::vector<double>* const now : {&first, &second}) {
      const problem b;  // the same numbers, so that each step is that of the first one
      const auto report = average.step(hone::unscale(1), sgd_rule{now == &first ? 0.125 : 0.5, 0.75}, ema,
                                       b.gradient_list(), b.parameter_list(), b.momentum_list());
      CHECK(report.finite);
      *now = b.expect_step(1, now == &first ? 0.125 : 0.5, 0.75);
    }
    CHECK(average.state.steps() == 2);
    typename Device::template buffer<S> averages(std::vector<S>(a.p.size()));
    average.copy(a.list(averages.data()));
    const auto seen = averages.host();
    index wrong = 0;
    std::size_t k = 0;
    for (std::size_t i = 0; i < a.p.size(); ++i) {
      if (!a.listed[i]) continue;
      const bool copied = i >= 1 + 1000 + 3 + 3 + 1 + 3 && i < 1 + 1000 + 3 + 3 + 1 + 3 + 63;
      const double expected = copied ? second[k] : first[k] + 0.25 * (second[k] - first[k]);
      wrong += !(std::abs(double(seen[i]) - expected) <= 8 * tolerance<S>);
      ++k;
    }
    CHECK(wrong == 0);
  }
}

template <class Device>
void step_of_extreme_numbers() {
  using problem = step_problem<Device, float, float>;
  const float infinity = std::numeric_limits<float>::infinity();
  const double grown = 0x1p-128;  // 1 / scale is out of the range of float
  for (const auto& [x, scale] : {std::pair{infinity, 1.0}, {std::nanf(""), 1.0}, {0x1p10f, grown}}) {
    const problem a(x);
    typename Device::template averages<float> average(a.parameter_list(), {});
    CHECK(!average
               .step(hone::unscale(scale), sgd_rule{0.125, 0.75}, hone::ema(), a.gradient_list(), a.parameter_list(),
                     a.momentum_list())
               .finite);
    CHECK(average.state.steps() == 0);
    a.expect_nothing();
  }
  const problem a(0x1p-126f);
  CHECK(Device::step(hone::unscale(grown), sgd_rule_of_floats{0.125, 0.75}, a.gradient_list(), a.parameter_list(),
                     a.momentum_list())
            .finite);
  a.expect_step(0x1p128, 0.125, 0.75);
}

template <class Device>
void steps_of_training() {
  step_of_types<Device, float, float>();
  step_of_types<Device, double, double>();
  step_of_types<Device, float, typename Device::half>();
  step_of_types<Device, typename Device::bfloat16, typename Device::bfloat16>();
  step_of_extreme_numbers<Device>();
}

}  // namespace conformance
