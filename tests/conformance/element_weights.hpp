// SPDX-License-Identifier: MIT
/// What every backend must answer for element-wise losses of targets that are mixed and smoothed, and for weights of
/// columns, elements and positives.
#pragma once

#include <conformance/elements.hpp>

#include <functional>

namespace conformance {

/// A loss of a logit x, a target t and a weight w of positives, in double, from its formula.
using plain_loss = std::function<double(double x, double t, double w)>;

namespace plain {

inline double softplus(double x) { return x > 0 ? x + std::log1p(std::exp(-x)) : std::log1p(std::exp(x)); }
inline double sigmoid(double x) { return 1 / (1 + std::exp(-x)); }
inline double bce(double x, double t, double w) { return w * t * softplus(-x) + (1 - t) * softplus(x); }
inline double smoothed(double x, double t, double w) { return bce(x, 0.1 + 0.8 * t, w); }
inline double poly1(double x, double t, double w) {
  return bce(x, t, w) + 2 * (w * t * sigmoid(-x) + (1 - t) * sigmoid(x));
}
inline double focal(double x, double t, double w) {
  const double m = sigmoid(x) * (1 - t) + sigmoid(-x) * t;
  return (0.25 * t + 0.75 * (1 - t)) * m * m * bce(x, t, w);
}
inline double quality(double x, double t, double w) { return std::pow(sigmoid(x) - t, 2) * bce(x, t, w); }
inline double varifocal(double x, double t, double w) {
  return t > 0 ? t * bce(x, t, w) : 0.75 * std::pow(sigmoid(x), 2) * softplus(x);
}
inline double asymmetric(double x, double t, double w) {
  const double m = std::max(sigmoid(x) - 0.05, 0.0);
  return w * t * sigmoid(-x) * softplus(-x) - (1 - t) * std::pow(m, 4) * std::log(1 - m);
}

}  // namespace plain

/// body(make, plain loss)
template <class Body>
void each_plain_loss(Body const& body) {
  body([](auto t) { return hone::binary_cross_entropy(t); }, plain::bce);
  body([](auto t) { return hone::binary_cross_entropy(t, hone::smooth_binary(0.2)); }, plain::smoothed);
  body([](auto t) { return hone::poly1_binary_cross_entropy(t); }, plain::poly1);
  body([](auto t) { return hone::sigmoid_focal_loss(t); }, plain::focal);
  body([](auto t) { return hone::quality_focal_loss(t); }, plain::quality);
  body([](auto t) { return hone::varifocal_loss(t); }, plain::varifocal);
  body([](auto t) { return hone::asymmetric_loss(t); }, plain::asymmetric);
}

/// With its slope, as times · loss.
inline hone::value_grad<double> sloped(plain_loss const& loss, double x, double t, double w, double times) {
  constexpr double h = 1e-5;
  if (times == 0) return {0, 0};
  return {times * loss(x, t, w), times * (loss(x + h, t, w) - loss(x - h, t, w)) / (2 * h)};
}

/// Beside an element_batch: a second label and a λ per row, a second dense target, weights.
template <class Device, class T>
struct weighed_batch : element_batch<Device, T> {
  std::vector<int> second;
  std::vector<hone::index> partner;
  std::vector<float> lambda, columns, positives;
  std::vector<T> other, elements, holed;  // holed: targets that are NaN where elements is 0
  typename Device::template buffer<int> device_second;
  typename Device::template buffer<hone::index> device_partner;
  typename Device::template buffer<float> device_lambda, device_columns, device_positives;
  typename Device::template buffer<T> device_other, device_elements, device_holed;

  explicit weighed_batch(shape s)
      : element_batch<Device, T>(s),
        second(std::size_t(s.rows)),
        partner(std::size_t(s.rows)),
        lambda(std::size_t(s.rows)),
        columns(std::size_t(s.columns)),
        positives(std::size_t(s.columns)),
        other(this->filled([](index i, index c) { return 0.125 * double((i * 3 + c) % 8); })),
        elements(this->filled([](index i, index c) { return 0.5 * double((i + 2 * c) % 4); })),
        holed(this->filled([this](index i, index c) {
          return this->at(elements, i, c) == 0 ? std::nan("") : this->at(this->t, i, c);
        })),
        device_second((fill(), second)),
        device_partner(partner),
        device_lambda(lambda),
        device_columns(columns),
        device_positives(positives),
        device_other(other),
        device_elements(elements),
        device_holed(holed) {}

 private:
  void fill() {
    const index rows = this->size.rows;
    for (index i = 0; i < rows; ++i) {
      second[std::size_t(i)] = int((i * 5 + 1) % this->size.columns);
      partner[std::size_t(i)] = rows - 1 - i;
      lambda[std::size_t(i)] = i % 4 == 2 ? 1 : 0.25f * float(i % 4);
    }
    for (std::size_t c = 0; c < columns.size(); ++c)
      columns[c] = 0.5f * float(c % 3), positives[c] = 0.75f * float(c % 5);
  }
};

/// Not all cases of every loss: each is a kernel to compile.
template <class Device, class T, bool All, class Loss>
void mixed_targets(Loss const& loss, plain_loss const& formula, std::vector<shape> const& shapes) {
  each_batch<weighed_batch<Device, T>>(shapes, [&](auto const& b) {
    const double K = double(b.size.columns);
    const auto hot = [](int label, index c) { return label == c ? 1.0 : 0.0; };
    const auto first = [&](index i) { return b.labels[std::size_t(i)]; };
    const auto check = [&](auto const& target, bool ignores, auto const& q, auto const& skipped) {
      double kept = 0;
      for (index i = 0; i < b.size.rows; ++i) kept += !ignores || !skipped(i);
      expect(
          b, loss(target),
          [&](index i, index c) { return sloped(formula, b.at(b.x, i, c), q(i, c), 1, ignores && skipped(i) ? 0 : 1); },
          kept * K, hone::mean);
    };
    const auto of_first = [&](index i) { return first(i) == -7; };
    const hone::classes_options ignore{.ignore = -7};

    // timm's mixup and smoothing for BCE; a label outside is background
    check(
        hone::smooth(hone::mix(hone::classes(b.device_labels, ignore), hone::classes(b.device_second), b.device_lambda),
                     0.1),
        true,
        [&](index i, index c) {
          const double l = double(b.lambda[std::size_t(i)]);
          return 0.9 * (l * hot(first(i), c) + (1 - l) * hot(b.second[std::size_t(i)], c)) + 0.1 / K;
        },
        of_first);
    if constexpr (All) {
      check(
          hone::mix(hone::classes(b.device_second), hone::partner_classes(b.device_labels, b.device_partner), 0.75),
          false,
          [&](index i, index c) {
            return 0.75 * hot(b.second[std::size_t(i)], c) + 0.25 * hot(first(b.partner[std::size_t(i)]), c);
          },
          of_first);
      check(
          hone::smooth(hone::classes(b.device_labels), 0.3, hone::leave_one_out), false,
          [&](index i, index c) {
            const double each = 0.3 / (K - 1);
            return (0.7 - each) * hot(first(i), c) + each;
          },
          of_first);
      check(
          hone::mix(hone::probabilities(b.view(b.device_t)), hone::classes(b.device_labels, ignore), b.device_lambda),
          true,
          [&](index i, index c) {
            const double l = double(b.lambda[std::size_t(i)]);
            return l * b.at(b.t, i, c) + (1 - l) * hot(first(i), c);
          },
          of_first);
      check(
          hone::smooth(
              hone::mix(hone::probabilities(b.view(b.device_t)), hone::probabilities(b.view(b.device_other)), 0.375),
              0.2),
          false,
          [&](index i, index c) { return 0.8 * (0.375 * b.at(b.t, i, c) + 0.625 * b.at(b.other, i, c)) + 0.2 / K; },
          of_first);
    }
  });
}

template <class Device, class T, bool All, class Loss>
void element_weights(Loss const& loss, plain_loss const& formula, std::vector<shape> const& shapes) {
  each_batch<weighed_batch<Device, T>>(shapes, [&](auto const& b) {
    const double n = double(b.size.rows * b.size.columns);
    const auto dense = loss(b.view(b.device_t));
    const auto x = [&](index i, index c) { return b.at(b.x, i, c); };
    const auto t = [&](index i, index c) { return b.at(b.t, i, c); };
    const auto of = [](std::vector<float> const& v, index i) { return double(v[std::size_t(i)]); };

    if constexpr (All) {
      expect(
          b, hone::weigh_columns(dense, b.device_columns),
          [&](index i, index c) { return sloped(formula, x(i, c), t(i, c), 1, of(b.columns, c)); }, n, hone::mean);
      expect(
          b, hone::weigh_elements(loss(b.view(b.device_holed)), b.view(b.device_elements)),
          [&](index i, index c) { return sloped(formula, x(i, c), t(i, c), 1, b.at(b.elements, i, c)); }, n,
          hone::mean);
      expect(
          b, hone::weigh_positives(dense, 3), [&](index i, index c) { return sloped(formula, x(i, c), t(i, c), 3, 1); },
          n, hone::mean);
      expect(
          b, hone::weigh_positives(dense, b.device_positives),
          [&](index i, index c) { return sloped(formula, x(i, c), t(i, c), of(b.positives, c), 1); }, n, hone::mean);
    }

    // All of them, in a sum, under factors and row weights, with labels.
    const auto labels = loss(hone::classes(b.device_labels, {.ignore = -7}));
    const auto weighed = hone::weigh_rows(
        hone::weigh_positives(
            hone::weigh_elements(hone::weigh_columns(2 * labels, b.device_columns), b.view(b.device_elements)),
            b.device_positives),
        b.device_weights);
    expect(
        b, weighed + 0.5 * hone::weigh_positives(hone::weigh_positives(dense, 2), b.device_positives),
        [&](index i, index c) {
          const int label = b.labels[std::size_t(i)];
          const double w = 2 * of(b.columns, c) * b.at(b.elements, i, c) * of(b.weights, i);
          const auto first = sloped(formula, x(i, c), label == c ? 1 : 0, of(b.positives, c), label == -7 ? 0 : w);
          const auto second = sloped(formula, x(i, c), t(i, c), 2 * of(b.positives, c), 0.5);
          return hone::value_grad<double>{first.value + second.value, first.grad + second.grad};
        },
        1, hone::sum);
  });
}

/// Infinite logits, and NaN where nothing counts.
template <class Device>
void weighed_edges() {
  const float infinity = std::numeric_limits<float>::infinity(), nan = std::nanf("");
  const std::vector<float> x{infinity, -infinity, nan, 1e4f, -1e4f, 0}, t{1, 0, nan, 0, 1, 0.5f}, w{1, 1, 0, 1, 1, 1};
  const typename Device::template buffer<float> device_x(x), device_t(t), device_w(w), gradient(x), losses(6), value(1);
  each_plain_loss([&](auto const& loss, plain_loss const&) {
    Device::evaluate(
        hone::weigh_elements(hone::weigh_positives(loss(hone::matrix_view<const float>{device_t.data(), 1, 6}), 8),
                             hone::matrix_view<const float>{device_w.data(), 1, 6}),
        hone::matrix_view<const float>{device_x.data(), 1, 6},
        hone::outputs<float>{.gradient = {gradient.data(), 1, 6}, .unreduced = losses.data(), .value = value.data()},
        hone::sum);
    for (const float g : gradient.host()) CHECK(std::isfinite(g));
    for (const float u : losses.host()) CHECK(std::isfinite(u));
    CHECK(std::isfinite(value.host()[0]));
    CHECK(gradient.host()[2] == 0);
    CHECK(losses.host()[2] == 0);
  });
}

/// Images answer as the matrix of their pixels does.
template <class Device, class T>
void weighed_images() {
  const index images = 2, channels = 5, pixels = 9, rows = images * pixels;
  const weighed_batch<Device, T> b({rows, channels});
  const auto rearranged = [&](std::vector<T> const& v) { return planes_of(v, channels, pixels); };
  const typename Device::template buffer<T> x(rearranged(b.x)), t(rearranged(b.t)), w(rearranged(b.elements)),
      planes(b.x), matrix(b.x);
  const auto objective = [&](auto targets, auto weights) {
    const auto mixture = hone::mix(hone::probabilities(targets), hone::classes(b.device_labels), b.device_lambda);
    return hone::weigh_elements(
        hone::weigh_positives(
            hone::weigh_columns(hone::binary_cross_entropy(hone::smooth(mixture, 0.1)), b.device_columns),
            b.device_positives),
        weights);
  };
  const auto image = [&](auto const& of) { return hone::image_view<const T>{of.data(), images, channels, pixels}; };
  Device::evaluate(objective(image(t), image(w)), image(x),
                   hone::outputs<T, hone::image_view>{.gradient = {planes.data(), images, channels, pixels}},
                   hone::mean);
  Device::evaluate(objective(b.view(b.device_t), b.view(b.device_elements)), b.view(b.device_x),
                   hone::outputs<T>{.gradient = {matrix.data(), rows, channels}}, hone::mean);
  CHECK(planes.host() == rearranged(matrix.host()));
}

template <class Device>
void weighed_elements() {
  const std::vector<shape> all{{0, 5}, {1, 3}, {3, 4}, {37, 80}, {3, 1001}, {6, 13, 3}, {9, 16, 8}};
  const std::vector<shape> some{{7, 40}, {5, 33, 7}};
  const auto bce = [](auto t) { return hone::binary_cross_entropy(t); };
  mixed_targets<Device, float, true>(bce, plain::bce, all);
  element_weights<Device, float, true>(bce, plain::bce, all);
  mixed_targets<Device, typename Device::half, false>(bce, plain::bce, some);
  element_weights<Device, typename Device::half, true>(bce, plain::bce, some);
  each_plain_loss([&](auto const& loss, plain_loss const& formula) {
    mixed_targets<Device, float, false>(loss, formula, {{7, 40}});
    element_weights<Device, float, false>(loss, formula, {{7, 40}});
  });
  weighed_edges<Device>();
  weighed_images<Device, float>();
}

}  // namespace conformance
