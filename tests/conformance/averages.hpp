// SPDX-License-Identifier: MIT
/// What every backend must answer for averages: one list of cases, each against its formula in double.
///
/// A Device has, besides what batch.hpp says, averages<T>: a state and the verbs on it, each waited for.
///   averages(list, start), update(average, list, finite), copy(list), swap(list), state
#pragma once

#include <conformance/batch.hpp>
#include <support/message.hpp>
#include <support/numbers.hpp>

#include <algorithm>
#include <cmath>
#include <limits>
#include <sstream>
#include <string>
#include <vector>

namespace conformance {

/// The parameters of a step, one tensor after the other in one buffer, `gap` numbers apart, rounded to P.
template <class Device, class P>
class step_parameters {
 public:
  step_parameters(std::vector<index> const& sizes, index step, index gap = 0) : sizes_(sizes), gap_(gap) {
    for (index i = 0; i < total(); ++i)
      all_.push_back(static_cast<P>(static_cast<hone::accumulator_t<P>>(support::noise(1000003 * step + i))));
    memory_.emplace_back(all_);
  }
  hone::tensor_list<P> list() const {
    hone::tensor_list<P> list;
    index at = 0;
    for (const index n : sizes_) list.push_back({memory_[0].data() + at, n}), at += n + gap_;
    return list;
  }
  std::vector<double> numbers() const { return without_gaps(memory_[0].host()); }
  std::vector<double> first_numbers() const { return without_gaps(all_); }

 private:
  index total() const {
    index n = 0;
    for (const index s : sizes_) n += s + gap_;
    return n;
  }
  std::vector<double> without_gaps(std::vector<P> const& all) const {
    std::vector<double> result;
    auto at = all.begin();
    for (const index n : sizes_) {
      for (index k = 0; k < n; ++k) result.push_back(static_cast<double>(static_cast<hone::accumulator_t<P>>(*at++)));
      at += gap_;
    }
    return result;
  }

  std::vector<index> sizes_;
  index gap_;
  std::vector<P> all_;
  std::vector<typename Device::template buffer<P>> memory_;
};

template <class State>
std::string saved(State const& state) {
  std::ostringstream out;
  state.save(out);
  return out.str();
}
inline double distance(std::vector<double> const& x, std::vector<double> const& y) {
  double worst = x.size() == y.size() ? 0 : HUGE_VAL;
  for (std::size_t i = 0; i < x.size() && i < y.size(); ++i) worst = std::max(worst, std::abs(x[i] - y[i]));
  return worst;
}

inline const std::vector<index> average_sizes{0, 1, 31, 32767, 32768, 32769, 5, 70000};

/// Twelve updates, of which the fifth is skipped, read out after each: s becomes d s + (1 - d) p. Tensor 6 is copied.
template <class Device, class T, class P>
void follows_formula(hone::ema const& average, hone::ema_start start, index gap) {
  CAPTURE(sizeof(T));
  CAPTURE(sizeof(P));
  CAPTURE(start.from_zero);
  CAPTURE(gap);
  const bool from_zero = start.from_zero;
  const step_parameters<Device, P> first(average_sizes, 0, gap);
  typename Device::template averages<T> a(first.list(), start);
  a.state.copy_only(6);
  const std::size_t copied = 1 + 31 + 32767 + 32768 + 32769;
  std::vector<double> s = first.numbers();
  if (from_zero) std::fill(s.begin(), s.end(), 0);
  double weight = from_zero ? 0 : 1;
  const step_parameters<Device, T> out(average_sizes, 99, 1 - gap);
  index counted = 0;
  for (index n = 1; n <= 12; ++n) {
    CAPTURE(n);
    const step_parameters<Device, P> parameters(average_sizes, n, gap);
    const bool finite = n != 5;
    a.update(average, parameters.list(), finite);
    const std::vector<double> p = parameters.numbers();
    if (finite) {
      ++counted;
      const hone::average_step step = average.at(counted);
      if (step.anew && from_zero) weight = 0, std::fill(s.begin(), s.end(), 0);
      const double d = step.anew && !from_zero ? 0 : 1 - step.weight;
      weight = d * weight + (1 - d);
      for (std::size_t i = 0; i < p.size(); ++i)
        s[i] = i >= copied && i < copied + 5 ? p[i] : d * s[i] + (1 - d) * p[i];
    }
    if (n % 4 != 1) continue;
    a.copy(out.list());
    std::vector<double> expected = s;
    for (std::size_t i = 0; i < p.size(); ++i)
      if (i < copied || i >= copied + 5) expected[i] /= weight;
    CHECK(distance(out.numbers(), expected) <= 12 * 4 * 2 * (sizeof(T) == 8 ? 2.3e-16 : 1.2e-7));
  }
  CHECK(a.state.steps() == 11);
  CHECK(a.state.counted() == doctest::Approx(weight));
}

template <class Device, class T, class P>
void follows_formulas() {
  for (const bool from_zero : {false, true})
    for (const index gap : {0, 1}) {  // 1: most tensors do not begin at 16 bytes
      follows_formula<Device, T, P>({.decay = 0.9, .ramp = hone::inverse_power_ramp(1, 0.75)}, {from_zero}, gap);
      follows_formula<Device, T, P>({.decay = 0.9, .ramp = hone::threshold_ramp(), .update_after = 2, .cycle = 3},
                                    {from_zero}, gap);
    }
}

/// A second swap undoes the first one; what is saved is loaded again bit by bit, and goes on from there.
template <class Device, class T>
void swaps_and_resumes() {
  const std::vector<index> sizes{3, 0, 40, 40000};
  const hone::ema average{.decay = 0.9, .ramp = hone::exponential_ramp(3)};
  const step_parameters<Device, T> first(sizes, 0), next(sizes, 1, 1), last(sizes, 2), other(sizes, 3);
  typename Device::template averages<T> a(first.list(), {}), b(other.list(), {});
  a.update(average, next.list(), true);
  const std::string before = saved(a.state);
  const step_parameters<Device, T> averages(sizes, 4);
  a.copy(averages.list());

  a.swap(next.list());
  CHECK(next.numbers() == averages.numbers());
  CHECK(support::message([&] { a.update(average, next.list(), true); }) ==
        "update: the state holds the parameters, swap them back first");
  const step_parameters<Device, T> untouched(sizes, 5);
  CHECK(support::message([&] { a.copy(untouched.list()); }) ==
        "copy: the state holds the parameters, swap them back first");
  CHECK(untouched.numbers() == untouched.first_numbers());
  std::istringstream older(before);
  CHECK(support::message([&] { a.state.load(older); }) == "load: the state holds the parameters, swap them back first");
  CHECK(a.state.swapped());
  a.swap(next.list());
  CHECK(next.numbers() == next.first_numbers());
  CHECK(saved(a.state) == before);

  std::istringstream stream(before);
  b.state.load(stream);
  CHECK(saved(b.state) == before);
  a.update(average, last.list(), true), b.update(average, last.list(), true);
  CHECK(saved(a.state) == saved(b.state));
  CHECK(saved(a.state) != before);
  CHECK(b.state.steps() == 2);

  std::istringstream half(before.substr(0, before.size() / 2));
  const std::string now = saved(b.state);
  CHECK(support::message([&] { b.state.load(half); }).find("load: the state ends after ") == 0);
  CHECK(saved(b.state) == now);
}

/// Averages of another program, with the number of its updates: ramp, late begin and cycle go on from there.
template <class Device>
void begins_warm() {
  const std::vector<index> sizes{40, 3};
  const step_parameters<Device, float> first(sizes, 0), averages(sizes, 9);
  for (const hone::ema average :
       {hone::ema{.decay = 0.99, .ramp = hone::exponential_ramp(4)},
        hone::ema{.decay = 0.9, .ramp = hone::threshold_ramp(), .update_after = 1, .cycle = 4},
        hone::ema{.decay = 0.9, .update_after = 5}}) {
    typename Device::template averages<float> straight(first.list(), {});
    for (index n = 1; n <= 3; ++n) straight.update(average, step_parameters<Device, float>(sizes, n).list(), true);
    straight.copy(averages.list());
    typename Device::template averages<float> warm(averages.list(), {.steps = 3});
    CHECK(warm.state.steps() == 3);
    CHECK(saved(warm.state) == saved(straight.state));
    for (index n = 4; n <= 7; ++n)
      for (auto* a : {&straight, &warm}) a->update(average, step_parameters<Device, float>(sizes, n).list(), true);
    CHECK(saved(warm.state) == saved(straight.state));
  }
}

/// A constant weight stays bit by bit; a NaN of a skipped step, or of one with weight 0, reaches nothing.
template <class Device>
void leaves_alone() {
  const std::vector<index> sizes{77, 4000};
  const step_parameters<Device, float> first(sizes, 0);
  typename Device::template averages<float> a(first.list(), {});
  const typename Device::template buffer<float> bad(std::vector<float>(4077, std::nanf("")));
  const hone::tensor_list<float> nans{{bad.data(), 77}, {bad.data() + 77, 4000}};
  for (int n = 0; n < 5; ++n) a.update(hone::ema{.decay = 0.9999}, first.list(), true);
  a.update(hone::ema{.decay = 0.5}, nans, false);
  a.update(hone::ema{.decay = 1}, nans, true);
  const step_parameters<Device, float> out(sizes, 1);
  a.copy(out.list());
  CHECK(out.numbers() == first.numbers());
  CHECK(a.state.steps() == 6);
  a.update(hone::ema{.decay = 1}, nans, true);
  a.update(hone::ema{.decay = 0}, first.list(), true);
  a.copy(out.list());
  CHECK(out.numbers() == first.numbers());
}

/// Shadow and parameter at opposite ends of a type, and denormal numbers, have averages like others.
template <class Device, class T>
void averages_at_the_edges() {
  const T most = static_cast<T>(sizeof(T) == 4 ? 0x1.8p127 : 0x1.8p1023), least = std::numeric_limits<T>::denorm_min();
  const std::vector<T> from{-most, most, -most, 0, 8 * least, least, 1}, to{most, -most, -most, 8 * least, 0, least, 1};
  const typename Device::template buffer<T> first(from), next(to), out(std::vector<T>(7));
  typename Device::template averages<T> a(hone::tensor_list<T>{{first.data(), 7}}, {});
  a.update(hone::ema{.decay = 0.75}, hone::tensor_list<T>{{next.data(), 7}}, true);
  a.copy(hone::tensor_list<T>{{out.data(), 7}});
  CHECK(out.host() == std::vector<T>{-most / 2, most / 2, -most, 2 * least, 6 * least, least, 1});
}

template <class Device>
void refuses_averages() {
  const step_parameters<Device, float> first({3, 3}, 0), shorter({3, 2}, 0);
  typename Device::template averages<float> a(first.list(), {});
  const std::string before = saved(a.state);
  const auto said = [&](auto const& call) { return support::message(call); };
  CHECK(said([&] { a.update(hone::ema{}, shorter.list(), true); }) ==
        "update: tensor 1 of parameters has 2 numbers, that of the state has 3");
  CHECK(said([&] { a.update(hone::ema{.decay = 2}, first.list(), true); }) == "ema: decay is 2, must be in [0, 1]");
  CHECK(said([&] { a.update(hone::ema{.cycle = -1}, first.list(), true); }) == "ema: cycle is -1, must be at least 0");
  CHECK(said([&] { a.swap(shorter.list()); }) == "swap: tensor 1 of parameters has 2 numbers, that of the state has 3");
  CHECK(said([&] { a.copy(shorter.list()); }).find("copy: tensor 1 of ") == 0);
  CHECK(said([&] { a.state.copy_only(2); }) == "copy_only: tensor is 2, the state has 2 tensors");
  CHECK(saved(a.state) == before);
}

template <class Device>
void averages() {
  follows_formulas<Device, float, float>();
  follows_formulas<Device, float, typename Device::half>();
  follows_formulas<Device, float, typename Device::bfloat16>();
  follows_formulas<Device, double, double>();
  follows_formulas<Device, double, float>();
  follows_formulas<Device, double, typename Device::bfloat16>();
  swaps_and_resumes<Device, float>();
  swaps_and_resumes<Device, double>();
  begins_warm<Device>();
  leaves_alone<Device>();
  averages_at_the_edges<Device, float>();
  averages_at_the_edges<Device, double>();
  refuses_averages<Device>();
}

}  // namespace conformance
