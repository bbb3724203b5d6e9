// SPDX-License-Identifier: MIT
/// What every backend must answer for element-wise objectives: one list of cases, against the formulas in double.
#pragma once

#include <conformance/batch.hpp>

#include <algorithm>
#include <limits>

namespace conformance {

/// Logits, and everything that an element-wise objective may ask for, in host and device memory.
template <class Device, class T>
struct element_batch : padded<Device, T> {
  using padded<Device, T>::filled;

  std::vector<T> x, t;
  std::vector<int> labels;
  std::vector<float> weights;
  typename Device::template buffer<T> device_x, device_t;
  typename Device::template buffer<int> device_labels;
  typename Device::template buffer<float> device_weights;

  explicit element_batch(shape s)
      : padded<Device, T>(s),
        x(filled([](index i, index c) { return 6 * std::sin(1.3 * double(i * 31 + c)); })),
        t(filled([](index i, index c) { return (i + c) % 3 == 0 ? 0.0 : 0.25 * double((i * 5 + c) % 5); })),
        labels(static_cast<std::size_t>(s.rows)),
        weights(static_cast<std::size_t>(s.rows)),
        device_x(x),
        device_t(t),
        device_labels((label(), labels)),
        device_weights((weigh(), weights)) {}

 private:
  /// Inside, outside (background), and -7, which cases ignore.
  void label() {
    for (std::size_t i = 0; i < labels.size(); ++i)
      labels[i] = i % 5 == 3 ? -7 : i % 11 == 4 ? int(this->size.columns) + 2 : int(index(i * 7) % this->size.columns);
  }
  void weigh() {
    for (std::size_t i = 0; i < weights.size(); ++i) weights[i] = 0.5f + 0.25f * float(i % 4);
  }
};

/// Evaluates `objective` and compares all outputs with those of expected(row, column), a value_grad<double>.
template <class Device, class T, class Objective, class Expected>
void expect(element_batch<Device, T> const& b, Objective const& objective, Expected expected, double divisor,
            hone::reduction how, bool in_place = false) {
  const index n = b.size.rows * b.size.columns;
  const answers<T> a = ask(b, objective, b.x, n, how, in_place);
  double total = 0;
  bool gradients = true, unreduced = true;
  for (index i = 0; i < b.size.rows; ++i)
    for (index c = 0; c < b.size.columns; ++c) {
      const auto y = expected(i, c);
      const double seen = b.at(a.gradient, i, c);
      if (divisor > 0) total += y.value / divisor;
      gradients &= divisor > 0 ? close(seen * divisor, y.grad, tolerance<T>) : seen == 0;
      unreduced &=
          close(double(a.unreduced[std::size_t(i * b.size.columns + c)]), y.value, tolerance<hone::accumulator_t<T>>);
    }
  CHECK_MESSAGE(gradients, "gradient");
  CHECK_MESSAGE(unreduced, "unreduced");
  CHECK_MESSAGE(b.padding_is_untouched(a.gradient), "padding is not written");
  CHECK(close(a.value, total, tolerance<hone::accumulator_t<T>>));
}

/// One loss, with targets of both kinds, factors, row weights, ignored rows and every reduction.
template <class Device, class T, class Loss, class Formula>
void element_loss(Loss const& loss, Formula const& formula, std::vector<shape> const& shapes) {
  each_batch<element_batch<Device, T>>(shapes, [&](auto const& b) {
    const auto times = [](double w, hone::value_grad<double> y) {
      return hone::value_grad<double>{w * y.value, w * y.grad};
    };
    const auto soft = [&](index i, index c) { return formula(b.at(b.x, i, c), b.at(b.t, i, c)); };
    const auto hot = [&](index i, index c) {
      const int label = b.labels[std::size_t(i)];
      return times(label == -7 ? 0 : 1, formula(b.at(b.x, i, c), label == c ? 1.0 : 0.0));
    };
    double kept = 0;
    for (const int label : b.labels) kept += label != -7;

    const auto dense = loss(b.view(b.device_t));
    hone::classes_options without{.ignore = -7};
    if (b.size.columns == 1) without.background = 3;  // asked for there
    const auto labels = loss(hone::classes(b.device_labels, without));
    expect(b, dense, soft, double(b.size.rows * b.size.columns), hone::mean);
    expect(
        b, hone::weigh_rows(3 * dense, b.device_weights),
        [&](index i, index c) { return times(3 * double(b.weights[std::size_t(i)]), soft(i, c)); }, 1, hone::sum);
    expect(b, labels, hot, kept * double(b.size.columns), hone::mean);
    expect(b, labels, hot, kept, hone::batch_mean);
    expect(b, labels, hot, kept * double(b.size.columns), hone::element_mean);
    expect(b, labels, hot, 5, hone::mean_over(5));
    expect(
        b, dense + 0.5 * labels,
        [&](index i, index c) {
          const auto first = soft(i, c), second = hot(i, c);
          return hone::value_grad<double>{first.value + 0.5 * second.value, first.grad + 0.5 * second.grad};
        },
        0, hone::mean_over(0), true);
  });
}

/// Images answer as the matrix of their pixels does, with targets in their own layout, weights and labels per pixel.
template <class Device, class T>
void element_images(index images, index channels, index pixels) {
  const index rows = images * pixels;
  const element_batch<Device, T> b({rows, channels});
  const auto rearranged = [&](std::vector<T> const& v) { return planes_of(v, channels, pixels); };
  using A = hone::accumulator_t<T>;
  const typename Device::template buffer<T> x(rearranged(b.x)), t(rearranged(b.t)), planes(b.x), matrix(b.x);
  const typename Device::template buffer<A> losses(b.x.size()), same(b.x.size()), value(1), as_value(1);
  const auto objective = [&](auto targets) {
    return hone::weigh_rows(hone::sigmoid_focal_loss(targets), b.device_weights) +
           hone::binary_cross_entropy(hone::classes(b.device_labels, {.ignore = -7}));
  };
  Device::evaluate(
      objective(hone::image_view<const T>{t.data(), images, channels, pixels}),
      hone::image_view<const T>{x.data(), images, channels, pixels},
      hone::outputs<T, hone::image_view>{
          .gradient = {planes.data(), images, channels, pixels}, .unreduced = losses.data(), .value = value.data()},
      hone::mean);
  Device::evaluate(
      objective(b.view(b.device_t)), b.view(b.device_x),
      hone::outputs<T>{.gradient = {matrix.data(), rows, channels}, .unreduced = same.data(), .value = as_value.data()},
      hone::mean);
  answers_alone_are_those_of_all<Device, T>(objective(hone::image_view<const T>{t.data(), images, channels, pixels}),
                                            hone::image_view<const T>{x.data(), images, channels, pixels},
                                            {planes.host(), losses.host(), double(value.host()[0])}, b.x, hone::mean);
  CHECK(planes.host() == rearranged(matrix.host()));
  CHECK(losses.host() == same.host());
  CHECK(close(double(value.host()[0]), double(as_value.host()[0]), tolerance<A>));
}

/// Pointers that no vector of numbers could be read from.
template <class Device, class T>
void misaligned_elements() {
  const index n = 101;
  const element_batch<Device, T> b({1, n + 1});
  const typename Device::template buffer<T> gradient(b.x), whole(b.x);
  const auto run = [&](auto const& to, index from) {
    Device::evaluate(hone::binary_cross_entropy(hone::matrix_view<const T>{b.device_t.data() + from, 1, n + 1 - from}),
                     hone::matrix_view<const T>{b.device_x.data() + from, 1, n + 1 - from},
                     hone::outputs<T>{.gradient = {to.data() + from, 1, n + 1 - from}}, hone::sum);
  };
  run(gradient, 1);
  run(whole, 0);
  const auto part = gradient.host(), all = whole.host();
  CHECK(part[0] == b.x[0]);
  CHECK(std::equal(part.begin() + 1, part.end(), all.begin() + 1));
}

/// Every loss of elements, made from targets, with its formula; γ is that of its easy elements, if it has one.
template <class Body>
void each_element_loss(double gamma, Body const& body) {
  body([](auto t) { return hone::binary_cross_entropy(t); }, hone::binary_cross_entropy_formula());
  body([](auto t) { return hone::poly1_binary_cross_entropy(t); }, hone::poly1_binary_cross_entropy_formula{2});
  body([=](auto t) { return hone::sigmoid_focal_loss(t, {.gamma = gamma}); }, hone::sigmoid_focal_formula(0.25, gamma));
  body([=](auto t) { return hone::quality_focal_loss(t, {.beta = gamma}); }, hone::quality_focal_formula{gamma});
  body([=](auto t) { return hone::varifocal_loss(t, {.gamma = gamma}); }, hone::varifocal_formula{0.75, gamma});
  for (const double clip : {0.0, 0.05})
    body(
        [=](auto t) {
          return hone::asymmetric_loss(t, {.gamma_positive = gamma, .gamma_negative = gamma, .clip = clip});
        },
        hone::asymmetric_formula{gamma, gamma, clip});
}

/// Saturated and infinite logits: never NaN, whatever γ is, and the gradient is finite.
template <class Device>
void element_edges() {
  const float infinity = std::numeric_limits<float>::infinity();
  std::vector<float> x, t;
  for (const float logit : {-infinity, -1e4f, -100.0f, -0.0f, 0.0f, 100.0f, 1e4f, infinity})
    for (const float target : {0.0f, 0.25f, 1.0f}) x.push_back(logit), t.push_back(target);
  const index n = index(x.size());
  const typename Device::template buffer<float> device_x(x), device_t(t), gradient(x), losses(x);
  for (const double gamma : {0.0, 0.25, 0.5, 1.0, 2.0}) {
    CAPTURE(gamma);
    each_element_loss(gamma, [&](auto const& loss, auto const& formula) {
      Device::evaluate(loss(hone::matrix_view<const float>{device_t.data(), 1, n}),
                       hone::matrix_view<const float>{device_x.data(), 1, n},
                       hone::outputs<float>{.gradient = {gradient.data(), 1, n}, .unreduced = losses.data()},
                       hone::sum);
      const auto g = gradient.host(), u = losses.host();
      for (std::size_t i = 0; i < x.size(); ++i) {
        const auto y = formula(double(x[i]), double(t[i]));
        CAPTURE(x[i]);
        CAPTURE(t[i]);
        CHECK((double(u[i]) == y.value || close(double(u[i]), y.value, tolerance<float>)));
        CHECK(std::isfinite(g[i]));
        CHECK(close(double(g[i]), y.grad, tolerance<float>));
      }
    });
  }
}

/// Over nothing the value and the gradient are 0, whatever the logits are.
template <class Device>
void mean_over_nothing() {
  const std::vector<float> nan(12, std::nanf(""));
  const typename Device::template buffer<float> x(nan), t(std::vector<float>(12)), gradient(nan), value(1);
  Device::evaluate(hone::binary_cross_entropy(hone::matrix_view<const float>{t.data(), 3, 4}),
                   hone::matrix_view<const float>{x.data(), 3, 4},
                   hone::outputs<float>{.gradient = {gradient.data(), 3, 4}, .value = value.data()},
                   hone::mean_over(0));
  CHECK(value.host()[0] == 0);
  CHECK(gradient.host() == std::vector<float>(12));
}

template <class Device>
void element_losses() {
  const std::vector<shape> all{{0, 5}, {1, 1}, {1, 3}, {3, 4}, {37, 80}, {5, 1001}, {6, 13, 3}, {9, 16, 8}};
  const std::vector<shape> some{{7, 80}, {5, 33, 7}};
  const auto focal = [](auto targets) { return hone::sigmoid_focal_loss(targets, {.alpha = 0.25, .gamma = 2}); };
  element_loss<Device, float>(focal, hone::sigmoid_focal_formula(0.25, 2), all);
  element_loss<Device, double>(focal, hone::sigmoid_focal_formula(0.25, 2), some);
  element_loss<Device, typename Device::half>(focal, hone::sigmoid_focal_formula(0.25, 2), all);
  element_loss<Device, typename Device::bfloat16>(focal, hone::sigmoid_focal_formula(0.25, 2), some);
  element_loss<Device, float>([](auto targets) { return hone::binary_cross_entropy(targets); },
                              hone::binary_cross_entropy_formula(), some);
  element_loss<Device, float>([](auto targets) { return hone::quality_focal_loss(targets, {.beta = 1.5}); },
                              hone::quality_focal_formula{1.5}, some);
  element_loss<Device, float>([](auto targets) { return hone::varifocal_loss(targets); },
                              hone::varifocal_formula{0.75, 2}, some);
  element_loss<Device, float>([](auto targets) { return hone::asymmetric_loss(targets); },
                              hone::asymmetric_formula{1, 4, 0.05}, some);
  element_loss<Device, float>([](auto targets) { return hone::poly1_binary_cross_entropy(targets); },
                              hone::poly1_binary_cross_entropy_formula{2}, some);
  element_edges<Device>();
  mean_over_nothing<Device>();
  element_images<Device, float>(2, 5, 9);
  element_images<Device, float>(3, 7, 61);
  misaligned_elements<Device, float>();
  misaligned_elements<Device, typename Device::half>();
}

}  // namespace conformance
