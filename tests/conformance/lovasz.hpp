// SPDX-License-Identifier: MIT
/// What every backend must answer for the Lovász-Softmax loss: its definition in double, by sorting the errors of each
/// class and by differences of Jaccard losses.
#pragma once

#include <conformance/regions.hpp>

#include <numeric>

namespace conformance {

/// Adds the loss of rows [first, last) and its gradient, both times `share`. Equal errors are in the order of the rows.
template <class Device, class T>
void add_lovasz_loss(row_batch<Device, T> const& b, index first, index last, bool counts_absent, double share,
                     region_answer& answer) {
  const auto K = std::size_t(b.size.columns);
  std::vector<row_of_numbers> p, a;
  std::vector<std::size_t> kept;
  for (index i = first; i < last; ++i) {
    p.push_back(softmax(b.row(b.z, i), 1)), a.emplace_back(K);
    if (!b.ignored(i)) kept.push_back(std::size_t(i - first));
  }
  const auto is_of = [&](std::size_t i, std::size_t c) {
    return b.labels[std::size_t(first) + i] == static_cast<int>(c);
  };
  double classes = 0, total = 0;
  for (std::size_t c = 0; c < K; ++c) {
    double of_class = 0;
    for (const std::size_t i : kept) of_class += is_of(i, c);
    if (of_class == 0 && !counts_absent) continue;
    ++classes;
    const auto error = [&](std::size_t i) { return is_of(i, c) ? 1 - p[i][c] : p[i][c]; };
    std::vector<std::size_t> order = kept;
    std::stable_sort(order.begin(), order.end(), [&](std::size_t i, std::size_t j) { return error(i) > error(j); });
    double missing = of_class, whole = of_class;  // the Jaccard loss so far is 1 - missing / whole, or 0 of nothing
    for (const std::size_t i : order) {
      const double missing_before = missing, whole_before = whole;
      (is_of(i, c) ? missing : whole) += is_of(i, c) ? -1 : 1;
      const double g =
          whole_before == 0 ? 1 : (missing_before * whole - missing * whole_before) / (whole_before * whole);
      total += g * error(i);
      a[i][c] = is_of(i, c) ? -g : g;
    }
  }
  if (classes == 0 || kept.empty()) return;
  answer.value += share * total / classes;
  for (const std::size_t i : kept) {
    const double mean = std::inner_product(p[i].begin(), p[i].end(), a[i].begin(), 0.0);
    for (std::size_t c = 0; c < K; ++c)
      answer.gradient[(std::size_t(first) + i) * K + c] += share * p[i][c] * (a[i][c] - mean) / classes;
  }
}

template <class Device, class T>
void lovasz_of_rows(std::vector<shape> const& shapes) {
  each_batch<row_batch<Device, T>>(shapes, [](auto const& b) {
    const auto labels = hone::classes(b.device_labels, {.ignore = -7});
    region_answer a{0, std::vector<double>(static_cast<std::size_t>(b.size.rows * b.size.columns))};
    add_lovasz_loss(b, 0, b.size.rows, false, 0.5, a);
    expect_regions(b, 0.5 * hone::lovasz_softmax_loss(labels), a, hone::sum);
    for (index i = 0; i < b.size.rows; ++i) {
      if (b.ignored(i)) continue;
      const row_answer ce = cross_entropy_of(b.row(b.z, i), b.one_hot(b.labels[std::size_t(i)]));
      a.value += ce.loss / b.kept();
      for (std::size_t c = 0; c < ce.gradient.size(); ++c)
        a.gradient[std::size_t(i) * ce.gradient.size() + c] += ce.gradient[c] / b.kept();
    }
    expect_regions(b, hone::cross_entropy(labels) + 0.5 * hone::lovasz_softmax_loss(labels), a);
  });
}

/// Images, of which the first is ignored: together, and each by itself, with absent classes.
template <class Device>
void lovasz_of_images(index images, index channels, index pixels, bool equal_errors) {
  CAPTURE(channels);
  const index rows = images * pixels;
  row_batch<Device, float> b({rows, channels});
  for (index i = 0; i < pixels; ++i) b.labels[std::size_t(i)] = -7;
  if (equal_errors)
    for (std::size_t j = 0; j < b.z.size(); ++j) b.z[j] = j / std::size_t(channels) % 3 == 0 ? 2.0f : 0.0f;
  const typename Device::template buffer<int> labels(b.labels);
  const typename Device::template buffer<float> z(planes_of(b.z, channels, pixels)), value(1),
      gradient(std::vector<float>(b.z.size(), 77));
  for (const bool per_image : {false, true}) {
    CAPTURE(per_image);
    region_answer a{0, std::vector<double>(static_cast<std::size_t>(rows * channels))};
    const index regions = per_image ? images - 1 : 1;
    for (index r = 0; r < regions; ++r)
      add_lovasz_loss(b, pixels * (r + 1), per_image ? pixels * (r + 2) : rows, true, 1 / double(regions), a);
    Device::evaluate(hone::lovasz_softmax_loss(hone::classes(labels, {.ignore = -7}),
                                               {.per_image = per_image, .absent = hone::absent_classes::counted}),
                     hone::image_view<const float>{z.data(), images, channels, pixels},
                     hone::outputs<float, hone::image_view>{.gradient = {gradient.data(), images, channels, pixels},
                                                            .value = value.data()},
                     hone::mean);
    CHECK(close(double(value.host()[0]), a.value, 4e-6));
    const std::vector<double> expected = planes_of(a.gradient, channels, pixels);
    const std::vector<float> seen = gradient.host();
    double off = 0, largest = 0;
    for (std::size_t j = 0; j < seen.size(); ++j) {
      largest = std::max(largest, std::abs(expected[j]));
      off = std::max(off, std::abs(double(seen[j]) - expected[j]));
    }
    CHECK(off <= 2 * tolerance<float> * largest);
  }
}

template <class Device>
void lovasz_losses() {
  lovasz_of_rows<Device, float>({{131, 10}, {40, 3, 2}, {1, 5}});
  lovasz_of_rows<Device, double>({{131, 10}, {9000, 2}});  // several tiles of a sort
  lovasz_of_images<Device>(3, 5, 1500, false);
  lovasz_of_images<Device>(3, 4, 400, true);
}

}  // namespace conformance
