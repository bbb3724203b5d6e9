// SPDX-License-Identifier: MIT
/// What every backend must answer for gradients: one list of chains, each against itself in double, step after step.
#pragma once

#include <conformance/batch.hpp>
#include <support/numbers.hpp>

#include <algorithm>
#include <string>

namespace conformance {

/// A model's tensors in double, with the matrices that they are; rows of 0: without a shape.
struct tensors {
  std::vector<shape> shapes;
  std::vector<std::vector<double>> numbers;

  tensors(std::vector<shape> const& shapes_, double magnitude) : shapes(shapes_) {
    index from = 0;
    for (shape const& s : shapes) {
      numbers.push_back(support::noise(from, std::max<index>(s.rows, 1) * s.columns));
      for (double& x : numbers.back()) x *= magnitude;
      from += 1000003;
    }
  }
  /// In memory of the device's, rounded to T: and here as well.
  template <class Device, class T>
  auto buffers() {
    std::vector<typename Device::template buffer<T>> all;
    all.reserve(numbers.size());
    for (auto& v : numbers) {
      std::vector<T> rounded;
      for (double& x : v) {
        rounded.push_back(static_cast<T>(static_cast<hone::accumulator_t<T>>(x)));
        x = static_cast<double>(static_cast<hone::accumulator_t<T>>(rounded.back()));
      }
      all.emplace_back(rounded);
    }
    return all;
  }
  template <class Buffers>
  auto list(Buffers const& buffers) const {
    using T = std::remove_pointer_t<decltype(buffers[0].data())>;
    hone::tensor_list<T> all;
    for (std::size_t i = 0; i < shapes.size(); ++i) {
      if (shapes[i].rows > 0)
        all.push_back({buffers[i].data(), shapes[i].rows, shapes[i].columns});
      else
        all.push_back({buffers[i].data(), shapes[i].columns});
    }
    return all;
  }
};

/// The p-norm of numbers that body(f) hands to f.
template <class Each>
double norm_of(double p, Each const& each) {
  double sum = 0;
  each([&](double x) {
    sum = p == hone::detail::infinity ? std::max(sum, std::abs(x)) : sum + std::pow(std::abs(x), p);
  });
  return p == hone::detail::infinity ? sum : std::pow(sum, 1 / p);
}

/// The steps by their definitions, one after the other.
struct step_by_step {
  tensors& g;
  double norm = 0, coefficient = 1;

  template <class F>
  void each(F const& f) {
    for (auto& v : g.numbers)
      for (double& x : v) f(x);
  }
  void unscale(double scale) {
    each([&](double& x) { x /= scale; });
  }
  void clip_by_value(double limit) {
    each([&](double& x) { x = std::clamp(x, -limit, limit); });
  }
  void clip_by_norm(double max, double p) {
    for (auto& v : g.numbers) {
      const double n = norm_of(p, [&](auto const& f) { std::for_each(v.begin(), v.end(), f); });
      for (double& x : v) x *= n > max ? max / n : 1;
    }
  }
  void clip_by_global_norm(double max, double p) {
    const double n = norm_of(p, [&](auto const& f) { each(f); });
    coefficient *= n > max ? max / n : 1;
    each([&](double& x) { x *= n > max ? max / n : 1; });
  }
  void adaptive_clip(tensors const& w, double clipping, double epsilon, bool by_columns, std::size_t excluded) {
    for (std::size_t i = 0; i < g.numbers.size(); ++i) {
      const index rows = std::max<index>(g.shapes[i].rows, 1), columns = g.shapes[i].columns;
      const bool columns_are_units = by_columns && g.shapes[i].rows > 1;
      if (i == excluded) continue;
      for (index u = 0; u < (columns_are_units ? columns : rows); ++u) {
        const auto each_of = [&](auto& v, auto const& f) {
          for (index k = 0; k < (columns_are_units ? rows : columns); ++k)
            f(v[std::size_t(columns_are_units ? k * columns + u : u * columns + k)]);
        };
        const double gradient = norm_of(2, [&](auto const& f) { each_of(g.numbers[i], f); }),
                     weight = norm_of(2, [&](auto const& f) { each_of(w.numbers[i], f); }),
                     most = clipping * std::max(weight, epsilon);
        each_of(g.numbers[i], [&](double& x) { x *= gradient > most ? most / gradient : 1; });
      }
    }
  }
};

/// make(parameters) is the step or chain; expected(run, parameters) does the same step by step.
template <class Device, class T, class Make, class Expected>
void transforms(const char* name, std::vector<shape> const& shapes, double magnitude, Make const& make,
                Expected const& expected) {
  tensors g(shapes, magnitude), w(shapes, 1);
  const auto gradients = g.buffers<Device, T>();
  const auto weights = w.buffers<Device, T>();
  const auto report = Device::transform(make(w.list(weights)), g.list(gradients));
  step_by_step run{g};
  expected(run, w);
  CAPTURE(name);
  CAPTURE(sizeof(T));
  CAPTURE(magnitude);
  CHECK(report.finite);
  CHECK(close(report.coefficient, run.coefficient, tolerance<float>));
  CHECK(std::abs(report.norm - run.norm) <= tolerance<float> * run.norm);
  index wrong = 0;
  for (std::size_t i = 0; i < shapes.size(); ++i) {
    const auto seen = gradients[i].host();
    for (std::size_t k = 0; k < seen.size(); ++k) {
      const double x = static_cast<double>(static_cast<hone::accumulator_t<T>>(seen[k])), y = g.numbers[i][k];
      wrong += !(std::abs(x - y) <= tolerance<T> * std::abs(y) + (sizeof(T) == 2 ? 1e-7 : 0));
    }
  }
  CHECK(wrong == 0);
}

template <class Device, class T>
void chains_of(std::vector<shape> const& shapes, double magnitude) {
  constexpr double infinity = hone::detail::infinity;
  const auto norm = [](step_by_step& run, double p) { run.norm = norm_of(p, [&](auto const& f) { run.each(f); }); };
  const double m = magnitude;

  transforms<Device, T>(
      "unscale", shapes, m, [](auto const&) { return hone::unscale(8); },
      [&](step_by_step& run, tensors const&) { run.unscale(8), norm(run, 2); });
  transforms<Device, T>(
      "clip_by_value", shapes, m, [&](auto const&) { return hone::clip_by_value(m); },
      [&](step_by_step& run, tensors const&) { norm(run, 2), run.clip_by_value(m); });
  for (const double p : {1.0, 2.0, infinity}) {
    transforms<Device, T>(
        "clip_by_norm", shapes, m, [&](auto const&) { return hone::clip_by_norm(3 * m, {.p = p}); },
        [&](step_by_step& run, tensors const&) { norm(run, 2), run.clip_by_norm(3 * m, p); });
    transforms<Device, T>(
        "chain of unscale and clip_by_global_norm", shapes, m,
        [&](auto const&) { return hone::chain(hone::unscale(0.25), hone::clip_by_global_norm(3 * m, {.p = p})); },
        [&](step_by_step& run, tensors const&) { run.unscale(0.25), norm(run, p), run.clip_by_global_norm(3 * m, p); });
    transforms<Device, T>(
        "values, then tensors", shapes, m,
        [&](auto const&) { return hone::chain(hone::clip_by_value(m), hone::clip_by_norm(0.5 * m, {.p = p})); },
        [&](step_by_step& run, tensors const&) { norm(run, 2), run.clip_by_value(m), run.clip_by_norm(0.5 * m, p); });
    transforms<Device, T>(
        "values, then all", shapes, m,
        [&](auto const&) {
          return hone::chain(hone::unscale(0.5), hone::clip_by_value(m), hone::clip_by_global_norm(0.5 * m, {.p = p}));
        },
        [&](step_by_step& run, tensors const&) {
          run.unscale(0.5), norm(run, p), run.clip_by_value(m), run.clip_by_global_norm(0.5 * m, p);
        });
  }
  transforms<Device, T>(
      "norms that are small enough, values that are not", shapes, m,
      [&](auto const&) { return hone::chain(hone::clip_by_norm(1e6 * m), hone::clip_by_value(m)); },
      [&](step_by_step& run, tensors const&) { norm(run, 2), run.clip_by_value(m); });
  transforms<Device, T>(
      "values, tensors, all, values", shapes, m,
      [&](auto const&) {
        return hone::chain(hone::unscale(2), hone::clip_by_value(1.5 * m), hone::clip_by_norm(8 * m),
                           hone::clip_by_global_norm(12 * m), hone::clip_by_value(m / 16));
      },
      [&](step_by_step& run, tensors const&) {
        run.unscale(2), norm(run, 2), run.clip_by_value(1.5 * m), run.clip_by_norm(8 * m, 2);
        run.clip_by_global_norm(12 * m, 2), run.clip_by_value(m / 16);
      });
  for (const auto units : {hone::agc_units::rows, hone::agc_units::columns}) {
    transforms<Device, T>(
        "values, adaptive_clip, values", shapes, m,
        [&](auto const& parameters) {
          return hone::chain(hone::unscale(2), hone::clip_by_value(m),
                             hone::adaptive_clip(parameters, {.clipping = 0.1 * m, .units = units}),
                             hone::clip_by_value(0.3 * m));
        },
        [&](step_by_step& run, tensors const& w) {
          run.unscale(2), norm(run, 2), run.clip_by_value(m);
          run.adaptive_clip(w, 0.1 * m, 1e-3, units == hone::agc_units::columns, w.numbers.size()),
              run.clip_by_value(0.3 * m);
        });
    for (const double epsilon : {1e-3, 1e3})
      transforms<Device, T>(
          "adaptive_clip, then all", shapes, m,
          [&](auto const& parameters) {
            return hone::chain(hone::adaptive_clip(
                                   parameters, {.clipping = 0.02, .epsilon = epsilon, .units = units, .excluded = {1}}),
                               hone::clip_by_global_norm(2 * m));
          },
          [&](step_by_step& run, tensors const& w) {
            norm(run, 2), run.adaptive_clip(w, 0.02, epsilon, units == hone::agc_units::columns, 1);
            run.clip_by_global_norm(2 * m, 2);
          });
  }
}

template <class Device>
void gradients() {
  const std::vector<shape> some{{3, 5}, {0, 7}, {0, 0}, {1, 1}, {16, 64}, {0, 1000}, {5, 33}};
  const std::vector<shape> large{{0, 32769}, {2, 40000}, {700, 300}, {0, 3}, {40000, 1}};
  for (const double magnitude : {1.0, 1e-3}) {
    chains_of<Device, float>(some, magnitude);
    chains_of<Device, double>(some, magnitude);
    chains_of<Device, typename Device::bfloat16>(some, magnitude);
    chains_of<Device, typename Device::half>(some, magnitude);
  }
  chains_of<Device, float>(large, 1);
  chains_of<Device, float>(some, 1e30);   // squares of such floats overflow
  chains_of<Device, float>(some, 1e-30);  // and vanish
  chains_of<Device, double>(some, 1e100);
}

}  // namespace conformance
