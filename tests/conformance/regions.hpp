// SPDX-License-Identifier: MIT
/// What every backend must answer for region losses: sums per class over the pixels of a region, in double here, and
/// the gradient by their derivatives, which dual numbers give.
#pragma once

#include <conformance/rows.hpp>
#include <support/dual.hpp>

namespace conformance {

using support::dual;
using class_loss = std::function<dual(dual both, dual prediction, dual target)>;

inline class_loss dice_of(double above, double below) {
  return [=](dual i, dual p, dual q) { return dual(1.0) - (dual(2.0) * i + dual(above)) / (p + q + dual(below)); };
}
inline class_loss log_jaccard_of(double smooth) {
  return [=](dual i, dual p, dual q) { return -log((i + dual(smooth)) / (p + q - i + dual(smooth))); };
}
inline class_loss focal_tversky_of(double alpha, double beta, double gamma) {
  return [=](dual i, dual p, dual q) {
    return exp(dual(gamma) * log(dual(1.0) - i / (i + dual(alpha) * (p - i) + dual(beta) * (q - i))));
  };
}

/// A region loss, written from its definition.
struct region_rule {
  class_loss of_class;
  hone::absent_classes absent = hone::absent_classes::skipped;
  bool squared = false;
  row_of_numbers weights = {};
};

/// The targets and the weights of rows, and which rows a region has.
struct region_rows {
  std::function<row_of_numbers(index)> target;
  std::function<double(index)> weight;
  index rows_of_region;
};

/// Adds factor · the mean of the losses of the regions and its gradient to `value` and `gradient`.
template <class Device, class T>
void add_region_loss(row_batch<Device, T> const& b, double factor, region_rule const& rule, region_rows const& of,
                     double& value, std::vector<double>& gradient) {
  const auto K = std::size_t(b.size.columns);
  std::vector<double> slopes(gradient.size());
  double total = 0, regions = 0;
  for (index first = 0; first < b.size.rows; first += of.rows_of_region) {
    std::vector<double> I(K), P(K), Q(K), u(K), v(K);
    double pixels = 0, classes = 0, loss = 0;
    const auto power = [&](double x) { return rule.squared ? x * x : x; };
    for (index i = first; i < first + of.rows_of_region; ++i) {
      const double w = of.weight(i);
      if (w == 0) continue;
      pixels += w;
      const row_of_numbers p = softmax(b.row(b.z, i), 1), q = of.target(i);
      for (std::size_t c = 0; c < K; ++c) I[c] += w * p[c] * q[c], P[c] += w * power(p[c]), Q[c] += w * power(q[c]);
    }
    for (std::size_t c = 0; c < K; ++c) {
      const double w = rule.weights.empty() ? 1 : rule.weights[c];
      const bool present = Q[c] != 0;
      if (w == 0 || (!present && rule.absent == hone::absent_classes::skipped)) continue;
      ++classes;
      if (!present && rule.absent == hone::absent_classes::zero) continue;
      loss += w * rule.of_class(dual(I[c]), dual(P[c]), dual(Q[c])).v;
      u[c] = w * rule.of_class(dual(I[c], 1), dual(P[c]), dual(Q[c])).d;
      v[c] = w * rule.of_class(dual(I[c]), dual(P[c], 1), dual(Q[c])).d;
    }
    if (pixels == 0 || classes == 0) continue;
    ++regions;
    total += loss / classes;
    for (index i = first; i < first + of.rows_of_region; ++i) {
      const row_of_numbers p = softmax(b.row(b.z, i), 1), q = of.target(i);
      if (of.weight(i) == 0) continue;
      double mean = 0;
      const auto a = [&](std::size_t c) { return u[c] * q[c] + (rule.squared ? 2 * p[c] : 1) * v[c]; };
      for (std::size_t c = 0; c < K; ++c) mean += p[c] * a(c);
      for (std::size_t c = 0; c < K; ++c)
        slopes[std::size_t(i) * K + c] = of.weight(i) * p[c] * (a(c) - mean) / classes;
    }
  }
  if (regions == 0) return;
  value += factor * total / regions;
  for (std::size_t j = 0; j < slopes.size(); ++j) gradient[j] += factor * slopes[j] / regions;
}

/// The expected value and gradient, rows × classes.
struct region_answer {
  double value = 0;
  std::vector<double> gradient;
};

template <class T>
bool same_bits(std::vector<T> const& a, std::vector<T> const& b) {
  return a.size() == b.size() && std::memcmp(a.data(), b.data(), a.size() * sizeof(T)) == 0;
}

/// Compares the value and the gradient, each alone and both, in place and beside the prediction.
template <class Device, class T, class Objective>
void expect_regions(row_batch<Device, T> const& b, Objective const& objective, region_answer const& expected,
                    hone::reduction how = hone::mean) {
  using A = hone::accumulator_t<T>;
  using buffer = typename Device::template buffer<T>;
  const buffer from(b.z), beside(std::vector<T>(b.z.size(), T(77.0f))), alone(beside.host()), in_place(b.z);
  const typename Device::template buffer<A> value(std::vector<A>(1, A(-5))), alone_value(value.host());
  const hone::matrix_view<const T> z = b.view(from);
  Device::evaluate(objective, z, hone::outputs<T>{.gradient = b.view(beside), .value = value.data()}, how);
  Device::evaluate(objective, z, hone::outputs<T>{.value = alone_value.data()}, how);
  Device::evaluate(objective, z, hone::outputs<T>{.gradient = b.view(alone)}, how);
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
  CHECK(off <= 4 * tolerance<T> * largest);  // a - Σ p a cancels
}

template <class Device, class T>
region_answer region_answer_of(row_batch<Device, T> const& b, double factor, region_rule const& rule,
                               region_rows const& of) {
  region_answer a{0, std::vector<double>(std::size_t(b.size.rows * b.size.columns))};
  add_region_loss(b, factor, rule, of, a.value, a.gradient);
  return a;
}

/// Labels with ignored rows, all targets of rows, row weights, weights of classes, and absent classes.
template <class Device, class T>
void regions_of_targets(std::vector<shape> const& shapes) {
  each_batch<row_batch<Device, T>>(shapes, [](auto const& b) {
    const index K = b.size.columns;
    const auto kept = [&b](index i) { return b.ignored(i) ? 0.0 : 1.0; };
    const auto all = [](index) { return 1.0; };
    const auto one_hot = [&b](index i) { return b.one_hot(b.labels[std::size_t(i)]); };
    const auto soft = [&b](index i) { return b.row(b.soft, i); };
    const auto smoothed = [&b, one_hot, K](index i) {
      row_of_numbers q = one_hot(i), other = b.one_hot(b.others[std::size_t(i)]);
      for (std::size_t c = 0; c < q.size(); ++c) q[c] = 0.9 * (0.75 * q[c] + 0.25 * other[c]) + 0.1 / double(K);
      return q;
    };
    const auto labels = hone::classes(b.device_labels, {.ignore = -7});
    expect_regions(b, hone::dice_loss(labels), region_answer_of(b, 1, {dice_of(0, 0)}, {one_hot, kept, b.size.rows}));
    expect_regions(
        b,
        -0.5 * hone::jaccard_loss(hone::probabilities(b.view(b.device_soft)),
                                  {.smooth = 0.25, .logarithm = true, .absent = hone::absent_classes::counted}),
        region_answer_of(b, -0.5, {log_jaccard_of(0.25), hone::absent_classes::counted}, {soft, all, b.size.rows}),
        hone::sum);
    expect_regions(b,
                   hone::focal_tversky_loss(hone::smooth(hone::mix(labels, hone::classes(b.device_others), 0.75), 0.1),
                                            {.alpha = 0.25, .beta = 0.5, .gamma = 0.75}),
                   region_answer_of(b, 1, {focal_tversky_of(0.25, 0.5, 0.75)}, {smoothed, kept, b.size.rows}));
    expect_regions(
        b,
        hone::weigh_rows(2 * hone::dice_loss(labels, {.smooth = 0,
                                                      .smooth_denominator = 0.5,
                                                      .squared = true,
                                                      .absent = hone::absent_classes::zero,
                                                      .weights = b.device_class_weights}),
                         b.device_weights),
        region_answer_of(b, 2,
                         {dice_of(0, 0.5), hone::absent_classes::zero, true,
                          row_of_numbers(b.class_weights.begin(), b.class_weights.end())},
                         {one_hot, [&](index i) { return kept(i) * double(b.weights[std::size_t(i)]); }, b.size.rows}));
  });
}

/// In a sum with cross entropy and a focal loss, each with its reduction.
template <class Device, class T>
void regions_in_sums(std::vector<shape> const& shapes) {
  each_batch<row_batch<Device, T>>(shapes, [](auto const& b) {
    const auto K = std::size_t(b.size.columns);
    const auto kept = [&b](index i) { return b.ignored(i) ? 0.0 : 1.0; };
    const auto one_hot = [&b](index i) { return b.one_hot(b.labels[std::size_t(i)]); };
    const auto labels = hone::classes(b.device_labels, {.ignore = -7});
    for (const hone::reduction how : {hone::mean, hone::mean_over(7)}) {
      region_answer a = region_answer_of(b, 0.5, {dice_of(1, 1)}, {one_hot, kept, b.size.rows});
      const double divisor = hone::detail::is_mean(how) ? b.kept() : 7;
      for (index i = 0; i < b.size.rows; ++i) {
        if (b.ignored(i)) continue;
        const row_answer ce = cross_entropy_of(b.row(b.z, i), one_hot(i)), focal = focal_of(b.row(b.z, i), one_hot(i));
        a.value += (0.7 * ce.loss + 0.3 * focal.loss) / divisor;
        for (std::size_t c = 0; c < K; ++c)
          a.gradient[std::size_t(i) * K + c] += (0.7 * ce.gradient[c] + 0.3 * focal.gradient[c]) / divisor;
      }
      expect_regions(b,
                     0.7 * hone::cross_entropy(labels) + 0.5 * hone::dice_loss(labels, {.smooth = 1}) +
                         0.3 * hone::softmax_focal_loss(labels),
                     a, how);
    }
  });
}

/// Images: as one region they answer as the matrix of their pixels does; or each is a region of its own.
template <class Device, class T>
void regions_of_images(std::vector<image_shape> const& shapes) {
  for (const image_shape s : shapes)
    for (const bool per_image : {false, true}) {
      CAPTURE(s.channels);
      CAPTURE(per_image);
      const index rows = s.images * s.pixels;
      row_batch<Device, T> b({rows, s.channels});
      for (index i = 0; i < s.pixels; ++i) b.labels[std::size_t(i)] = 255;  // nothing of the first image counts
      const typename Device::template buffer<int> labels(b.labels);
      const auto kept = [&b](index i) { return b.labels[std::size_t(i)] == 255 ? 0.0 : 1.0; };
      for (int& y : b.labels)
        if (y == -7) y = 255;
      const typename Device::template buffer<int> device_labels(b.labels);
      const region_answer a =
          region_answer_of(b, 1, {dice_of(0, 0)},
                           {[&](index i) { return b.one_hot(kept(i) == 0 ? -1 : b.labels[std::size_t(i)]); }, kept,
                            per_image ? s.pixels : rows});
      const typename Device::template buffer<T> z(planes_of(b.z, s.channels, s.pixels)),
          gradient(std::vector<T>(b.z.size(), T(77.0f)));
      const typename Device::template buffer<hone::accumulator_t<T>> value(1);
      Device::evaluate(hone::dice_loss(hone::classes(device_labels, {.ignore = 255}), {.per_image = per_image}),
                       hone::image_view<const T>{z.data(), s.images, s.channels, s.pixels},
                       hone::outputs<T, hone::image_view>{.gradient = {gradient.data(), s.images, s.channels, s.pixels},
                                                          .value = value.data()},
                       hone::mean);
      CHECK(close(double(value.host()[0]), a.value, 4e-6));
      const std::vector<double> expected = planes_of(a.gradient, s.channels, s.pixels);
      const std::vector<T> seen = gradient.host();
      double off = 0, largest = 0;
      for (std::size_t j = 0; j < seen.size(); ++j) {
        largest = std::max(largest, std::abs(expected[j]));
        off = std::max(off, std::abs(double(static_cast<hone::accumulator_t<T>>(seen[j])) - expected[j]));
      }
      CHECK(off <= tolerance<T> * largest);
    }
}

/// Nothing that counts: no class in the target, no row, or only rows of weight 0. Value and gradient are 0.
template <class Device>
void regions_of_nothing() {
  const row_batch<Device, float> b({9, 5});
  const std::vector<float> zeros(45, 0), no_weight(9, 0);
  const typename Device::template buffer<float> none(zeros), weights(no_weight);
  const typename Device::template buffer<int> ignored(std::vector<int>(9, 255));
  const region_answer nothing{0, std::vector<double>(45)};
  const hone::matrix_view<const float> empty{none.data(), 9, 5};
  expect_regions(b, hone::dice_loss(hone::classes(ignored, {.ignore = 255})), nothing);
  expect_regions(
      b, hone::focal_tversky_loss(hone::classes(ignored, {.ignore = 255}), {.absent = hone::absent_classes::counted}),
      nothing);
  expect_regions(b, hone::jaccard_loss(hone::probabilities(empty), {.logarithm = true}), nothing);
  expect_regions(b, hone::jaccard_loss(hone::probabilities(empty), {.absent = hone::absent_classes::zero}), nothing);
  expect_regions(b, hone::weigh_rows(hone::dice_loss(hone::classes(b.device_others)), weights), nothing);
  // A target without any class, and absent classes count: every loss is 1, a constant.
  expect_regions(b, hone::dice_loss(hone::probabilities(empty), {.absent = hone::absent_classes::counted}),
                 {1, std::vector<double>(45)});
}

/// A class that is in no target and whose probability is so small that its weight / P is no float.
template <class Device>
void regions_of_unlikely_classes() {
  row_batch<Device, float> b({9, 5});
  for (index i = 0; i < 9; ++i) b.z[std::size_t(i * 5 + 4)] = -75, b.labels[std::size_t(i)] = int(i % 4);
  const std::vector<float> weights{1, 1, 1, 1, 1e8f};
  const typename Device::template buffer<int> labels(b.labels);
  const typename Device::template buffer<float> device_weights(weights);
  expect_regions(
      b, hone::dice_loss(hone::classes(labels), {.absent = hone::absent_classes::counted, .weights = device_weights}),
      region_answer_of(b, 1, {dice_of(0, 0), hone::absent_classes::counted, false, {1, 1, 1, 1, 1e8}},
                       {[&b](index i) { return b.one_hot(b.labels[std::size_t(i)]); }, [](index) { return 1.0; }, 9}));
}

template <class Device>
void region_losses() {
  const std::vector<shape> few{{131, 10}, {40, 3, 2}, {9, 100}, {5, 1003, 1}};
  regions_of_targets<Device, float>(few);
  regions_of_targets<Device, double>({{131, 10}, {9, 100}});
  regions_of_targets<Device, typename Device::half>({{131, 10}, {9, 100}});
  regions_in_sums<Device, float>(few);
  regions_in_sums<Device, double>({{131, 10}});
  regions_in_sums<Device, typename Device::bfloat16>({{131, 10}});
  regions_of_images<Device, float>({{2, 5, 9}, {3, 19, 384}, {3, 150, 20}});
  regions_of_images<Device, double>({{3, 4, 70}});
  regions_of_nothing<Device>();
  regions_of_unlikely_classes<Device>();
}

}  // namespace conformance
