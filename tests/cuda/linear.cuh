// SPDX-License-Identifier: MIT
/// A layer in device memory, for the tests of linear_logits.
#pragma once

#include <cuda/device.cuh>
#include <cuda/linear_case.hpp>

#include <doctest/doctest.h>

#include <algorithm>
#include <cmath>

namespace linear {

template <class T>
std::vector<T> as(std::vector<double> const& from) {
  std::vector<T> to;
  for (const double n : from) to.push_back(static_cast<T>(n));
  return to;
}

/// The layer of a problem with room for all outputs, which hold 7 at first. Rows of the input, of the weight and of
/// their gradients are `gap` numbers longer than their features.
template <class T>
struct layer {
  using A = hone::accumulator_t<T>;

  index rows, features, classes, stride;
  device::buffer<T> x, w, b, dx;
  device::buffer<A> dw, db, losses, value;
  device::buffer<int> labels;
  device::buffer<float> row_weights, class_weights, lambdas, teacher, probabilities;
  device::buffer<index> partners;

  explicit layer(problem const& p, index gap = 0)
      : rows(p.rows),
        features(p.features),
        classes(p.classes),
        stride(features + gap),
        x(as<T>(spread(p.x))),
        w(as<T>(spread(p.w))),
        b(as<T>(p.b)),
        dx(as<T>(std::vector<double>(std::size_t(rows * stride), 7))),
        dw(std::vector<A>(std::size_t(classes * stride), 7)),
        db(std::vector<A>(std::size_t(classes), 7)),
        losses(std::vector<A>(std::size_t(rows), 7)),
        value(std::vector<A>(1, 7)),
        labels(p.labels),
        row_weights(p.row_weights),
        class_weights(p.class_weights),
        lambdas(p.lambdas),
        teacher(p.teacher),
        probabilities(p.probabilities),
        partners(p.partners) {}

  auto prediction(index rows_at_once = 0) const {
    return hone::linear_logits(hone::matrix_view<const T>{x.data(), rows, features, stride},
                               hone::matrix_view<const T>{w.data(), classes, features, stride},
                               std::span<const T>(b.data(), b.size()), rows_at_once);
  }
  hone::linear_outputs<T> outputs() const {
    return {.input_gradient = {dx.data(), rows, features, stride},
            .weight_gradient = {dw.data(), classes, features, stride},
            .bias_gradient = {db.data(), db.size()},
            .unreduced = losses.data(),
            .value = value.data()};
  }
  inputs device() const {
    const auto span = []<class N>(device::buffer<N> const& of) { return std::span<const N>(of.data(), of.size()); };
    return {span(labels),
            span(row_weights),
            span(class_weights),
            span(lambdas),
            span(partners),
            {teacher.data(), rows, classes},
            {probabilities.data(), rows, classes}};
  }
  /// The outputs on the host, without the gaps, which must be as they were.
  answer host() const {
    answer a;
    a.dx = gathered(dx, rows), a.dw = gathered(dw, classes);
    for (const A n : db.host()) a.db.push_back(static_cast<double>(n));
    for (const A n : losses.host()) a.losses.push_back(static_cast<double>(n));
    a.value = static_cast<double>(value.host()[0]);
    return a;
  }

 private:
  std::vector<double> spread(std::vector<double> const& from) const {
    std::vector<double> to;
    for (std::size_t i = 0; i < from.size(); ++i) {
      to.push_back(from[i]);
      if (index(i + 1) % features == 0) to.insert(to.end(), std::size_t(stride - features), 7.0);
    }
    return to;
  }
  template <class N>
  std::vector<double> gathered(device::buffer<N> const& from, index lines) const {
    const auto all = from.host();
    std::vector<double> to;
    bool kept = true;
    for (index i = 0; i < lines * stride; ++i) {
      const double n = static_cast<double>(all[std::size_t(i)]);
      if (i % stride < features) to.push_back(n);
      kept &= i % stride < features || n == 7;
    }
    CHECK(kept);
    return to;
  }
};

/// The largest difference of two arrays, relative to the largest number of one of them.
inline double apart(std::vector<double> const& a, std::vector<double> const& b) {
  if (a.size() != b.size()) return INFINITY;
  double largest = 1e-300, worst = 0;
  for (const double n : b) largest = std::max(largest, std::abs(n));
  for (std::size_t i = 0; i < a.size(); ++i) {
    const double d = std::abs(a[i] - b[i]);
    if (!(d <= worst)) worst = std::isnan(d) ? INFINITY : d;
  }
  return worst / largest;
}

/// The accuracy of logits and gradients in T.
template <class T>
inline constexpr double accuracy = std::is_same_v<T, double>   ? 1e-13
                                   : std::is_same_v<T, float>  ? 3e-6
                                   : std::is_same_v<T, __half> ? 2e-3
                                                               : 1.6e-2;

template <class T>
void check_same(answer const& got, answer const& expected) {
  const double tolerance = accuracy<T>;
  CHECK(apart(got.dx, expected.dx) < tolerance);
  CHECK(apart(got.dw, expected.dw) < tolerance);
  CHECK(apart(got.db, expected.db) < tolerance);
  CHECK(apart(got.losses, expected.losses) < tolerance);
  CHECK(apart({got.value}, {expected.value}) < tolerance);
}

/// Compares all outputs with those of hone::cpu.
template <loss Loss, class T, class Product = hone::tiled_product>
void check_as_on_cpu(problem const& p, hone::reduction how, index rows_at_once, Product const& product = {}) {
  CAPTURE(p.rows);
  CAPTURE(p.classes);
  CAPTURE(rows_at_once);
  const layer<T> l(p, p.features % 3);
  const device::stream stream;
  hone::cuda gpu(stream);
  hone::evaluate(gpu, objective<Loss>(l.device()), l.prediction(rows_at_once), l.outputs(), how, product);
  stream.wait();
  check_same<T>(l.host(), on_cpu(Loss, p, how));
}

}  // namespace linear
