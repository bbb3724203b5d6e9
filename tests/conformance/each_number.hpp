// SPDX-License-Identifier: MIT
/// What every backend must answer for a step of one's own over tensor lists.
#pragma once

#include <conformance/batch.hpp>
#include <support/numbers.hpp>

#include <cmath>
#include <vector>

namespace conformance {

/// SGD with momentum, and an average of the parameters: reads three lists and writes three.
template <class A>
struct sgd_and_average {
  A rate, momentum, weight;

  HONE_HD void operator()(A& parameter, A& velocity, A& average, auto const& gradient) const {
    velocity = momentum * velocity + static_cast<A>(gradient);
    parameter -= rate * velocity;
    average += weight * (parameter - average);
  }
};

/// The same as a template over an operand, which is a pack of numbers on the CPU.
struct sgd_and_average_of_operands {
  double rate, momentum, weight;

  template <hone::operand V>
  HONE_HD void operator()(V& parameter, V& velocity, V& average, V const& gradient) const {
    velocity = V(momentum) * velocity + gradient;
    parameter -= V(rate) * velocity;
    average += V(weight) * (parameter - average);
  }
};

/// Parameters of T, gradients of G, in tensors of every length, one behind the other at odd distances.
template <class Device, class T, class G, class Step>
void steps_of_ones_own(Step const& step) {
  using A = hone::accumulator_t<T>;
  const std::vector<index> sizes{1000, 0, 1, 63, 64, 65, 40000, 17};
  constexpr index gap = 3;
  index all = 1;
  for (const index n : sizes) all += n + gap;
  const auto noise = [&]<class X>(index from, X) {
    std::vector<X> v;
    for (const double x : support::noise(from, all))
      v.push_back(static_cast<X>(static_cast<hone::accumulator_t<X>>(x)));
    return v;
  };
  const std::vector<T> p = noise(0, T()), s = noise(1 << 20, T());
  const std::vector<A> m = noise(2 << 20, A());
  const std::vector<G> g = noise(3 << 20, G());
  const typename Device::template buffer<T> parameters(p), averages(s);
  const typename Device::template buffer<A> velocities(m);
  const typename Device::template buffer<G> gradients(g);
  const auto list_of = [&]<class X>(X* data) {
    hone::tensor_list<X> list;
    index at = 1;
    for (const index n : sizes) list.push_back({data + at, n}), at += n + gap;
    return list;
  };
  Device::for_each_number(step, list_of(parameters.data()), list_of(velocities.data()), list_of(averages.data()),
                          list_of(static_cast<G const*>(gradients.data())));
  const auto new_p = parameters.host();
  const auto new_m = velocities.host();
  const auto new_s = averages.host();
  std::vector<bool> listed(std::size_t(all), false);
  index at = 1;
  for (const index n : sizes) {
    for (index i = at; i < at + n; ++i) listed[std::size_t(i)] = true;
    at += n + gap;
  }
  index wrong = 0;
  const auto is = [](auto x, double expected, double unit) { return std::abs(double(A(x)) - expected) <= unit; };
  for (std::size_t i = 0; i < std::size_t(all); ++i) {
    const double velocity = 0.75 * double(m[i]) + double(static_cast<hone::accumulator_t<G>>(g[i]));
    const double parameter = double(A(p[i])) - 0.125 * velocity, old = double(A(s[i]));
    const double unit = tolerance<T> * 8;
    const bool right = listed[i] ? is(new_m[i], velocity, tolerance<A> * 8) && is(new_p[i], parameter, unit) &&
                                       is(new_s[i], old + 0.25 * (parameter - old), unit)
                                 : new_p[i] == p[i] && new_m[i] == m[i] && new_s[i] == s[i];
    wrong += right ? 0 : 1;
  }
  CHECK(wrong == 0);
}

template <class Device>
void steps_of_ones_own() {
  using half = typename Device::half;
  using bfloat16 = typename Device::bfloat16;
  const auto both = []<class T, class G>(T, G) {
    using A = hone::accumulator_t<T>;
    steps_of_ones_own<Device, T, G>(sgd_and_average<A>{A(0.125), A(0.75), A(0.25)});
    steps_of_ones_own<Device, T, G>(sgd_and_average_of_operands{0.125, 0.75, 0.25});
  };
  both(float(), float()), both(double(), double()), both(float(), half()), both(half(), half());
  both(bfloat16(), float());
}

}  // namespace conformance
