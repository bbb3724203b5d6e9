// SPDX-License-Identifier: MIT
/// What every backend must answer for gradients at the edges of their types: factors and results that leave a type's
/// range, zeros, denormal numbers, infinities and NaN.
#pragma once

#include <conformance/gradients.hpp>

#include <limits>

namespace conformance {

struct transformed {
  hone::gradient_report report;
  std::vector<double> numbers;
};

/// One tensor of numbers of type T, as a row.
template <class Device, class T, class Step>
transformed transform_one(Step const& step, std::vector<double> const& numbers) {
  using A = hone::accumulator_t<T>;
  std::vector<T> narrow;
  for (const double x : numbers) narrow.push_back(static_cast<T>(static_cast<A>(x)));
  const typename Device::template buffer<T> memory(narrow);
  transformed result{Device::transform(step, hone::tensor_list<T>{{memory.data(), narrow.size()}}), {}};
  for (const T x : memory.host()) result.numbers.push_back(static_cast<double>(static_cast<A>(x)));
  return result;
}

template <class T>
double rounded(double x) {
  return static_cast<double>(
      static_cast<hone::accumulator_t<T>>(static_cast<T>(static_cast<hone::accumulator_t<T>>(x))));
}

/// The result of a step, within rounding; that it is finite.
template <class Device, class T, class Step>
void becomes(const char* name, Step const& step, std::vector<double> const& numbers,
             std::vector<double> const& expected) {
  CAPTURE(name);
  CAPTURE(sizeof(T));
  const transformed seen = transform_one<Device, T>(step, numbers);
  CHECK(seen.report.finite);
  for (std::size_t i = 0; i < expected.size(); ++i) {
    CAPTURE(i);
    CHECK(std::abs(seen.numbers[i] - expected[i]) <= 2 * tolerance<T> * std::abs(expected[i]));
  }
}
/// The report is not finite, and every number is as it was.
template <class Device, class T, class Step>
void refuses(const char* name, Step const& step, std::vector<double> const& numbers) {
  CAPTURE(name);
  CAPTURE(sizeof(T));
  const transformed seen = transform_one<Device, T>(step, numbers);
  CHECK(!seen.report.finite);
  index changed = 0;
  for (std::size_t i = 0; i < numbers.size(); ++i) {
    const double before = rounded<T>(numbers[i]);
    changed += seen.numbers[i] == before || (std::isnan(before) && std::isnan(seen.numbers[i])) ? 0 : 1;
  }
  CHECK(changed == 0);
}

/// A factor that float does not have, for numbers and results that it has.
template <class Device>
void factors_outside_of_float() {
  const double root = std::sqrt(2);
  becomes<Device, float>("1 / scale is too large", hone::unscale(1e-40), {0, 1e-30, -3e-31}, {0, 1e10, -3e9});
  becomes<Device, float>("1 / scale is too small", hone::unscale(1e50), {0, 3e38, -1e38}, {0, 3e-12, -1e-12});
  becomes<Device, float>("1 / scale is denormal", hone::unscale(1e39), {3e38, 1e38}, {0.3, 0.1});
  becomes<Device, float>("max / norm is too small", hone::clip_by_global_norm(1e-8), {3e38, -3e38},
                         {1e-8 / root, -1e-8 / root});
  becomes<Device, float>("so is that of a tensor", hone::clip_by_norm(1e-8), {3e38, -3e38},
                         {1e-8 / root, -1e-8 / root});
  becomes<Device, float>("too large, and clamped", hone::chain(hone::unscale(1e-40), hone::clip_by_value(5)),
                         {0, 1e-30, -3e-40, 0x1p-142}, {0, 5, -3, 0x1p-142 * 1e40});
  becomes<Device, float>("too small after a clamp",
                         hone::chain(hone::clip_by_value(2e38), hone::clip_by_global_norm(1e-8)), {3e38, -3e38},
                         {1e-8 / root, -1e-8 / root});
  becomes<Device, float>("too small between clamps", hone::chain(hone::clip_by_norm(1e-8), hone::clip_by_value(5e-9)),
                         {3e38, -1e38}, {5e-9, -1e-8 / std::sqrt(10)});
  becomes<Device, float>("too large on the way alone",
                         hone::chain(hone::unscale(1e-10), hone::clip_by_global_norm(100), hone::clip_by_value(1000)),
                         {1e30, -1e30}, {100 / root, -100 / root});
  const typename Device::template buffer<float> ones(std::vector<float>(4, 1.0f));
  const auto columns = hone::adaptive_clip(hone::tensor_list<float>{{ones.data(), 2, 2}},
                                           {.clipping = 1e-10, .units = hone::agc_units::columns});
  becomes<Device, float>("of a column", columns, {3e38, 1e-12, 0, 0}, {1e-10 * root, 1e-12, 0, 0});
  becomes<Device, float>("of a column, and clamped", hone::chain(columns, hone::clip_by_value(1e-11)),
                         {3e38, 1e-12, 0, 0}, {1e-11, 1e-12, 0, 0});
  becomes<Device, typename Device::bfloat16>("1 / scale is too large", hone::unscale(1e-40), {0, 1e-30}, {0, 1e10});
}

/// Results that the type does not have: told, and nothing is written.
template <class Device>
void results_outside_of_the_type() {
  using half = typename Device::half;
  refuses<Device, half>("half has 65504 at most", hone::unscale(0.5), {1, 40000});
  becomes<Device, half>("but what is clamped fits", hone::chain(hone::unscale(0.5), hone::clip_by_value(1000)),
                        {1, 40000}, {2, 1000});
  becomes<Device, half>("and what is clipped", hone::chain(hone::unscale(0.5), hone::clip_by_global_norm(1000)),
                        {0, 40000}, {0, 1000});
  becomes<Device, half>("and what is small", hone::unscale(0.5), {1, -32752}, {2, -65504});
  refuses<Device, typename Device::bfloat16>("bfloat16 ends where float does", hone::unscale(0.5), {1, 3e38});
  refuses<Device, float>("float", hone::unscale(0.5), {1, 3e38});
  refuses<Device, float>("float, after a norm", hone::chain(hone::unscale(0.5), hone::clip_by_norm(5e38)), {1, 3e38});
  refuses<Device, double>("a double whose square overflows", hone::unscale(1e-160), {1});
  refuses<Device, double>("the same, clipped", hone::chain(hone::unscale(1e-160), hone::clip_by_norm(1)), {1, 1});
}

/// Zeros stay, denormal numbers have exact norms and are scaled like others.
template <class Device, class T>
void zeros_and_denormals(double least) {
  const std::vector<double> zeros(3000, 0.0);
  for (const double p : {1.0, 2.0, hone::detail::infinity}) {
    const transformed seen =
        transform_one<Device, T>(hone::chain(hone::unscale(4), hone::clip_by_value(0), hone::clip_by_norm(0, {.p = p}),
                                             hone::clip_by_global_norm(0, {.p = p})),
                                 zeros);
    CHECK(seen.report.finite);
    CHECK(seen.report.norm == 0);
    CHECK(seen.report.coefficient == 1);
    CHECK(seen.numbers == zeros);
  }
  const transformed doubled = transform_one<Device, T>(hone::unscale(0.5), {least, -3 * least, 0, least});
  CHECK(doubled.numbers == std::vector<double>{2 * least, -6 * least, 0, 2 * least});
  if (sizeof(T) < 8) CHECK(doubled.report.norm == doctest::Approx(2 * std::sqrt(11) * least).epsilon(1e-12));
  const transformed clipped =
      transform_one<Device, T>(hone::clip_by_global_norm(8 * least, {.p = 1}), {8 * least, -8 * least});
  CHECK(clipped.numbers == std::vector<double>{4 * least, -4 * least});
}

/// One number that is not finite, wherever it is.
template <class Device, class T>
void not_finite_anywhere() {
  for (const double bad : {HUGE_VAL, -HUGE_VAL, std::numeric_limits<double>::quiet_NaN()})
    for (const std::size_t at : {0u, 7u, 1023u, 1024u, 4999u}) {
      CAPTURE(bad);
      CAPTURE(at);
      std::vector<double> numbers(5000, -2);
      numbers[at] = bad;
      refuses<Device, T>("unscale", hone::unscale(8), numbers);
      refuses<Device, T>("value, then norm",
                         hone::chain(hone::unscale(8), hone::clip_by_value(1), hone::clip_by_norm(1, {.p = 1})),
                         numbers);
      refuses<Device, T>("global norm", hone::clip_by_global_norm(1, {.p = hone::detail::infinity}), numbers);
    }
}

/// A unit whose parameters are not finite: NaN counts as epsilon, and infinite ones are never clipped. An excluded
/// tensor stays as it is, whatever its parameters are.
template <class Device, class T>
void parameters_not_finite() {
  constexpr double nan = std::numeric_limits<double>::quiet_NaN();
  const std::vector<T> weights{T(nan), T(1), T(3), T(4), T(HUGE_VAL), T(1), T(nan), T(1)};
  const std::vector<T> numbers{T(3), T(4), T(30), T(40), T(6), T(8), T(6), T(8)};
  const typename Device::template buffer<T> w(weights), g(numbers);
  const auto list_of = [](T* data) {
    hone::tensor_list<T> list;
    list.push_back({data, 3, 2});
    list.push_back({data + 6, 1, 2});
    return list;
  };
  const auto report = Device::transform(
      hone::adaptive_clip(list_of(w.data()), {.clipping = 0.5, .epsilon = 0.25, .excluded = {1}}), list_of(g.data()));
  CHECK(report.finite);
  const std::vector<double> expected{0.075, 0.1, 1.5, 2, 6, 8, 6, 8};
  const auto seen = g.host();
  for (std::size_t i = 0; i < expected.size(); ++i) {
    CAPTURE(i);
    CHECK(std::abs(static_cast<double>(seen[i]) - expected[i]) <= tolerance<T> * expected[i]);
  }
}

template <class Device>
void gradient_edges() {
  using half = typename Device::half;
  using bfloat16 = typename Device::bfloat16;
  factors_outside_of_float<Device>();
  results_outside_of_the_type<Device>();
  zeros_and_denormals<Device, float>(0x1p-149);
  zeros_and_denormals<Device, double>(0x1p-1074);
  zeros_and_denormals<Device, half>(0x1p-24);
  zeros_and_denormals<Device, bfloat16>(0x1p-133);
  parameters_not_finite<Device, float>();
  parameters_not_finite<Device, double>();
  not_finite_anywhere<Device, float>();
  not_finite_anywhere<Device, double>();
  not_finite_anywhere<Device, half>();
  not_finite_anywhere<Device, bfloat16>();
}

}  // namespace conformance
