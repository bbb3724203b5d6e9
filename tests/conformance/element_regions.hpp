// SPDX-License-Identifier: MIT
/// What every backend must answer for region losses of sigmoids: sums per class over the pixels of a region, in double
/// here, and the gradient by their derivatives, which dual numbers give.
#pragma once

#include <conformance/elements.hpp>
#include <conformance/regions.hpp>

namespace conformance {

/// The target and the weight of an element, and which rows a region has.
struct region_elements {
  std::function<double(index, index)> target, weight;
  index rows_of_region;
};

/// Adds factor · the mean of the losses of the regions of a batch of elements and its gradient to the answer.
template <class Device, class T>
void add_sigmoid_region_loss(element_batch<Device, T> const& b, double factor, region_rule const& rule,
                             region_elements const& of, region_answer& answer) {
  const index K = b.size.columns;
  std::vector<double> slopes(answer.gradient.size());
  const auto power = [&](double x) { return rule.squared ? x * x : x; };
  const auto sigmoid = [&](index i, index c) { return 1 / (1 + std::exp(-b.at(b.x, i, c))); };
  double total = 0, regions = 0;
  for (index first = 0; first < b.size.rows; first += of.rows_of_region) {
    double pixels = 0, classes = 0, loss = 0;
    std::vector<double> u(static_cast<std::size_t>(K)), v(u);
    for (index c = 0; c < K; ++c) {
      double I = 0, P = 0, Q = 0;
      for (index i = first; i < first + of.rows_of_region; ++i) {
        const double w = of.weight(i, c);
        if (w == 0) continue;
        const double p = sigmoid(i, c), q = of.target(i, c);
        pixels += w, I += w * p * q, P += w * power(p), Q += w * power(q);
      }
      const double w = rule.weights.empty() ? 1 : rule.weights[std::size_t(c)];
      const bool present = Q != 0;
      if (w == 0 || (!present && rule.absent == hone::absent_classes::skipped)) continue;
      ++classes;
      if (!present && rule.absent == hone::absent_classes::zero) continue;
      loss += w * rule.of_class(dual(I), dual(P), dual(Q)).v;
      u[std::size_t(c)] = w * rule.of_class(dual(I, 1), dual(P), dual(Q)).d;
      v[std::size_t(c)] = w * rule.of_class(dual(I), dual(P, 1), dual(Q)).d;
    }
    if (pixels == 0 || classes == 0) continue;
    ++regions, total += loss / classes;
    for (index i = first; i < first + of.rows_of_region; ++i)
      for (index c = 0; c < K; ++c) {
        const double w = of.weight(i, c), p = sigmoid(i, c);
        if (w == 0) continue;
        const double a = u[std::size_t(c)] * of.target(i, c) + (rule.squared ? 2 * p : 1) * v[std::size_t(c)];
        slopes[std::size_t(i * K + c)] = w * p * (1 - p) * a / classes;
      }
  }
  if (regions == 0) return;
  answer.value += factor * total / regions;
  for (std::size_t j = 0; j < slopes.size(); ++j) answer.gradient[j] += factor * slopes[j] / regions;
}

template <class Device, class T>
region_answer sigmoid_answer_of(element_batch<Device, T> const& b, double factor, region_rule const& rule,
                                region_elements const& of) {
  region_answer a{0, std::vector<double>(static_cast<std::size_t>(b.size.rows * b.size.columns))};
  add_sigmoid_region_loss(b, factor, rule, of, a);
  return a;
}

/// Compares the value and the gradient, each alone and both, in place and beside the prediction.
template <class Device, class T, class Objective>
void expect_sigmoid_regions(element_batch<Device, T> const& b, Objective const& objective,
                            region_answer const& expected, hone::reduction how = hone::mean) {
  using A = hone::accumulator_t<T>;
  using buffer = typename Device::template buffer<T>;
  const buffer from(b.x), beside(std::vector<T>(b.x.size(), T(77.0f))), alone(beside.host()), in_place(b.x);
  const typename Device::template buffer<A> value(std::vector<A>(1, A(-5))), alone_value(value.host());
  const hone::matrix_view<const T> x = b.view(from);
  Device::evaluate(objective, x, hone::outputs<T>{.gradient = b.view(beside), .value = value.data()}, how);
  Device::evaluate(objective, x, hone::outputs<T>{.value = alone_value.data()}, how);
  Device::evaluate(objective, x, hone::outputs<T>{.gradient = b.view(alone)}, how);
  Device::evaluate(objective, hone::matrix_view<const T>(b.view(in_place)),
                   hone::outputs<T>{.gradient = b.view(in_place)}, how);
  CHECK(close(double(value.host()[0]), expected.value, sizeof(T) == 2 ? 4e-6 : tolerance<T>));
  CHECK(close(double(alone_value.host()[0]), double(value.host()[0]), 1e-6));
  CHECK(same_bits(alone.host(), beside.host()));

  const std::vector<T> seen = beside.host(), over = in_place.host();
  CHECK(b.padding_is_untouched(seen));
  double largest = 0, off = 0;
  bool over_alike = true;
  for (index i = 0; i < b.size.rows; ++i)
    for (index c = 0; c < b.size.columns; ++c) {
      const double g = expected.gradient[std::size_t(i * b.size.columns + c)];
      largest = std::max(largest, std::abs(g)), off = std::max(off, std::abs(b.at(seen, i, c) - g));
      over_alike &= b.at(over, i, c) == b.at(seen, i, c);
    }
  CHECK(over_alike);
  CHECK(off <= 2 * tolerance<T> * largest);
}

/// Dense targets with weights of elements, labels with background and ignored rows, row weights, weights of classes,
/// and absent classes; alone, and in a sum with binary cross entropy and a focal loss.
template <class Device, class T>
void sigmoid_regions_of_targets(std::vector<shape> const& shapes) {
  for (const shape s : shapes) {
    CAPTURE(s.rows);
    CAPTURE(s.columns);
    const element_batch<Device, T> b(s);
    const index n = s.rows, K = s.columns;
    const auto dense = [&b](index i, index c) { return b.at(b.t, i, c); };
    const auto one_hot = [&b](index i, index c) { return b.labels[std::size_t(i)] == c ? 1.0 : 0.0; };
    const auto all = [](index, index) { return 1.0; };
    const auto kept = [&b](index i, index) { return b.labels[std::size_t(i)] == -7 ? 0.0 : 1.0; };
    const auto weighed = [&](index i, index c) { return kept(i, c) * double(b.weights[std::size_t(i)]); };
    const auto targets = hone::matrix_view<const T>(b.view(b.device_t));
    const auto mask = b.filled([](index i, index c) { return (i * 3 + c) % 4 == 1 ? 0.0 : 0.5 * double(1 + c % 3); });
    const typename Device::template buffer<T> device_mask(mask);
    const auto labels = hone::classes(b.device_labels, {.ignore = -7, .background = K + 2});
    std::vector<float> of_classes;
    for (index c = 0; c < K; ++c) of_classes.push_back(0.25f + 0.5f * float(c % 3));
    const typename Device::template buffer<float> class_weights(of_classes);

    expect_sigmoid_regions(b, hone::sigmoid_dice_loss(targets),
                           sigmoid_answer_of(b, 1, {dice_of(0, 0)}, {dense, all, n}));
    expect_sigmoid_regions(
        b,
        -0.5 * hone::weigh_elements(
                   hone::sigmoid_jaccard_loss(
                       targets, {.smooth = 0.25, .logarithm = true, .absent = hone::absent_classes::counted}),
                   hone::matrix_view<const T>(b.view(device_mask))),
        sigmoid_answer_of(b, -0.5, {log_jaccard_of(0.25), hone::absent_classes::counted},
                          {dense, [&](index i, index c) { return b.at(mask, i, c); }, n}),
        hone::sum);
    expect_sigmoid_regions(b, hone::sigmoid_focal_tversky_loss(labels, {.alpha = 0.25, .beta = 0.5, .gamma = 0.75}),
                           sigmoid_answer_of(b, 1, {focal_tversky_of(0.25, 0.5, 0.75)}, {one_hot, kept, n}));
    expect_sigmoid_regions(b,
                           hone::weigh_rows(2 * hone::sigmoid_dice_loss(labels, {.smooth = 0,
                                                                                 .smooth_denominator = 0.5,
                                                                                 .squared = true,
                                                                                 .absent = hone::absent_classes::zero,
                                                                                 .weights = class_weights}),
                                            b.device_weights),
                           sigmoid_answer_of(b, 2,
                                             {dice_of(0, 0.5), hone::absent_classes::zero, true,
                                              row_of_numbers(of_classes.begin(), of_classes.end())},
                                             {one_hot, weighed, n}));
    if (K > 1) {
      const auto smoothed = [&](index i, index c) { return 0.9 * one_hot(i, c) + 0.1 / double(K); };
      expect_sigmoid_regions(b, hone::sigmoid_dice_loss(hone::smooth(labels, 0.1)),
                             sigmoid_answer_of(b, 1, {dice_of(0, 0)}, {smoothed, kept, n}));
    }

    region_answer sum = sigmoid_answer_of(b, 0.5, {dice_of(1, 1)}, {one_hot, kept, n});
    for (index i = 0; i < n; ++i)
      for (index c = 0; c < K; ++c) {
        const double x = b.at(b.x, i, c), share = 1 / double(n * K);
        const auto bce = hone::binary_cross_entropy_formula{}(x, dense(i, c));
        const auto focal = hone::sigmoid_focal_formula(0.25, 2)(x, dense(i, c));
        sum.value += share * (0.7 * bce.value + 0.3 * focal.value);
        sum.gradient[std::size_t(i * K + c)] += share * (0.7 * bce.grad + 0.3 * focal.grad);
      }
    expect_sigmoid_regions(b,
                           0.7 * hone::binary_cross_entropy(targets) +
                               0.5 * hone::sigmoid_dice_loss(labels, {.smooth = 1}) +
                               0.3 * hone::sigmoid_focal_loss(targets),
                           sum);
  }
}

/// Images: as one region they answer as the matrix of their pixels does; or each is a region of its own.
template <class Device, class T>
void sigmoid_regions_of_images(std::vector<std::vector<index>> const& shapes) {
  for (auto const& s : shapes)
    for (const bool per_image : {false, true}) {
      const index images = s[0], channels = s[1], pixels = s[2], rows = images * pixels;
      CAPTURE(channels);
      CAPTURE(pixels);
      CAPTURE(per_image);
      element_batch<Device, T> b({rows, channels});
      const auto weight = [&](index i, index) { return i < pixels ? 0.0 : 1.0; };  // nothing of the first image counts
      const region_answer a =
          sigmoid_answer_of(b, 1, {dice_of(0, 0)},
                            {[&](index i, index c) { return b.at(b.t, i, c); }, weight, per_image ? pixels : rows});
      std::vector<T> mask(b.x.size(), T(1.0f));
      std::fill_n(mask.begin(), pixels * channels, T(0.0f));
      const typename Device::template buffer<T> x(planes_of(b.x, channels, pixels)),
          t(planes_of(b.t, channels, pixels)), w(mask), gradient(std::vector<T>(b.x.size(), T(77.0f)));
      const typename Device::template buffer<hone::accumulator_t<T>> value(1);
      const auto as_image = [&](auto const& v) {
        return hone::image_view<const T>{v.data(), images, channels, pixels};
      };
      Device::evaluate(
          hone::weigh_elements(hone::sigmoid_dice_loss(as_image(t), {.per_image = per_image}), as_image(w)),
          as_image(x),
          hone::outputs<T, hone::image_view>{.gradient = {gradient.data(), images, channels, pixels},
                                             .value = value.data()},
          hone::mean);
      CHECK(close(double(value.host()[0]), a.value, 4e-6));
      const std::vector<double> expected = planes_of(a.gradient, channels, pixels);
      const std::vector<T> seen = gradient.host();
      double off = 0, largest = 0;
      for (std::size_t j = 0; j < seen.size(); ++j) {
        largest = std::max(largest, std::abs(expected[j]));
        off = std::max(off, std::abs(double(static_cast<hone::accumulator_t<T>>(seen[j])) - expected[j]));
      }
      CHECK(off <= 2 * tolerance<T> * largest);
    }
}

/// Nothing that counts: value and gradient are 0, also for logits that are NaN.
template <class Device>
void sigmoid_regions_of_nothing() {
  element_batch<Device, float> b({9, 5});
  const std::vector<float> zeros(45, 0);
  const typename Device::template buffer<float> none(zeros);
  const typename Device::template buffer<int> ignored(std::vector<int>(9, 255));
  const region_answer nothing{0, std::vector<double>(45)};
  const hone::matrix_view<const float> empty{none.data(), 9, 5};
  expect_sigmoid_regions(b, hone::sigmoid_dice_loss(empty), nothing);
  expect_sigmoid_regions(b, hone::sigmoid_dice_loss(empty, {.absent = hone::absent_classes::zero}), nothing);
  expect_sigmoid_regions(b, hone::sigmoid_dice_loss(empty, {.absent = hone::absent_classes::counted}),
                         {1, std::vector<double>(45)});
  b.x.assign(45, std::numeric_limits<float>::quiet_NaN());
  expect_sigmoid_regions(b, hone::sigmoid_dice_loss(hone::classes(ignored, {.ignore = 255})), nothing);
  expect_sigmoid_regions(
      b, hone::weigh_elements(hone::sigmoid_jaccard_loss(empty, {.absent = hone::absent_classes::counted}), empty),
      nothing);
}

template <class Device>
void sigmoid_region_losses() {
  const std::vector<shape> few{{131, 10}, {300, 1}, {40, 3, 2}, {9, 100}, {5, 1103, 1}, {3, 2053}};
  sigmoid_regions_of_targets<Device, float>(few);
  sigmoid_regions_of_targets<Device, double>({{131, 10}, {9, 100}});
  sigmoid_regions_of_targets<Device, typename Device::half>({{131, 10}, {70, 1}});
  sigmoid_regions_of_images<Device, float>({{2, 5, 9}, {3, 1, 1384}, {3, 19, 384}, {3, 150, 20}});
  sigmoid_regions_of_images<Device, double>({{3, 4, 70}});
  sigmoid_regions_of_images<Device, typename Device::bfloat16>({{3, 1, 70}});
  sigmoid_regions_of_nothing<Device>();
}

}  // namespace conformance
