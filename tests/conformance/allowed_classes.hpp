// SPDX-License-Identifier: MIT
/// What every backend must answer where classes are masked by a logit of -inf and targets are smoothed over the others:
/// the answers of rows that hold the others alone, and a gradient of 0 for those that are masked.
#pragma once

#include <conformance/rows.hpp>

#include <cstdint>
#include <limits>

namespace conformance {

template <class Device, class T>
struct masked_batch : row_batch<Device, T> {
  using base = row_batch<Device, T>;

  explicit masked_batch(shape s) : base(s) {
    for (index i = 0; i < s.rows; ++i)
      for (index c = 0; c < s.columns; ++c)
        if (masks(i, c))
          this->z[std::size_t(i * this->stride + c)] = static_cast<T>(-std::numeric_limits<float>::infinity());
  }

  /// None, few, many, or all classes but the labels; a row that is ignored has its first class.
  bool masks(index i, index c) const {
    if (c == this->labels[std::size_t(i)] || c == this->others[std::size_t(i)]) return false;
    if (this->labels[std::size_t(i)] < 0 && c == 0) return false;
    const auto hash = (std::uint64_t(i) * 1000003u + std::uint64_t(c)) * 0x9e3779b97f4a7c15u >> 33;
    constexpr std::uint64_t in_eight[] = {0, 1, 6, 8};
    return hash % 8 < in_eight[i % 4];
  }

  /// A loss of (z, q) on the allowed classes of row i, among which q is smoothed by ε and then weighed.
  template <class Loss>
  row_answer on_allowed(index i, row_of_numbers const& q, double epsilon, Loss const& loss,
                        bool by_class = false) const {
    const row_of_numbers logits = this->row(this->z, i);
    std::vector<std::size_t> allowed;
    for (std::size_t c = 0; c < logits.size(); ++c)
      if (!masks(i, index(c))) allowed.push_back(c);
    row_of_numbers reduced, target;
    for (const std::size_t c : allowed) {
      reduced.push_back(logits[c]);
      target.push_back((1 - epsilon) * q[c] + epsilon / double(allowed.size()));
      if (by_class) target.back() *= double(this->class_weights[c]);
    }
    row_answer a = loss(reduced, target);
    row_of_numbers gradient(logits.size());
    for (std::size_t k = 0; k < allowed.size(); ++k) gradient[allowed[k]] = a.gradient[k];
    a.gradient = gradient;
    return a;
  }
};

template <class Device, class T>
void rows_of_allowed(std::vector<shape> const& shapes) {
  each_batch<masked_batch<Device, T>>(shapes, [](auto const& b) {
    const double kept = b.kept(), n = double(b.size.rows);
    const auto all = [](index) { return 1.0; };
    const auto counts = [&](index i) { return double(!b.ignored(i)); };
    const auto half_of = [&](index i) { return b.ignored(i) ? 0 : 0.5 * double(b.weights[std::size_t(i)]); };
    const auto first = [&](index i) { return b.one_hot(b.labels[std::size_t(i)]); };
    const auto second = [&](index i) { return b.one_hot(b.others[std::size_t(i)]); };
    const auto mixed = [&](index i) {
      const double lambda = double(b.lambda[std::size_t(i)]);
      row_of_numbers q = first(i);
      const row_of_numbers with = second(i);
      for (std::size_t c = 0; c < q.size(); ++c) q[c] = lambda * q[c] + (1 - lambda) * with[c];
      return q;
    };
    const auto one = hone::classes(b.device_labels, {.ignore = -7}), other = hone::classes(b.device_others);
    const auto mixture = hone::smooth(hone::mix(one, other, b.device_lambda), 0.1, hone::allowed_classes);
    const auto entropy = [&](index i) { return b.on_allowed(i, mixed(i), 0.1, cross_entropy_of); };

    expect_rows(b, hone::cross_entropy(mixture), {{entropy, counts, kept}}, hone::mean);
    expect_rows(b, hone::cross_entropy(mixture), {{entropy, counts, kept}}, hone::mean, true);
    expect_rows(b, hone::weigh_rows(0.5 * hone::cross_entropy(mixture), b.device_weights), {{entropy, half_of, 1}},
                hone::sum, true);
    expect_rows(b, hone::softmax_focal_loss(hone::smooth(other, 0.3, hone::allowed_classes)),
                {{[&](index i) { return b.on_allowed(i, second(i), 0.3, focal_of); }, all, n}}, hone::mean, true);
    expect_rows(
        b,
        hone::poly1_cross_entropy(hone::mix(hone::smooth(other, 0.4, hone::allowed_classes), other, 0.25)) +
            0.5 * hone::cross_entropy(other),
        {{[&](index i) { return b.on_allowed(i, second(i), 0.1, poly1_of); }, all, n},
         {[&](index i) { return b.on_allowed(i, second(i), 0, cross_entropy_of); }, [](index) { return 0.5; }, n}},
        hone::mean, true);
    double weight = 0;
    for (index i = 0; i < b.size.rows; ++i)
      if (!b.ignored(i)) weight += b.label_weight(i);
    expect_rows(
        b,
        hone::cross_entropy(hone::weigh_classes(hone::smooth(one, 0.2, hone::allowed_classes), b.device_class_weights)),
        {{[&](index i) { return b.on_allowed(i, first(i), 0.2, cross_entropy_of, true); }, counts, weight}}, hone::mean,
        true);
    expect_rows(b, hone::cross_entropy(hone::smooth(other, 1, hone::allowed_classes)),
                {{[&](index i) { return b.on_allowed(i, second(i), 1, cross_entropy_of); }, all, n}}, hone::mean);
  });
}

/// Images answer as the matrix of their pixels does.
template <class Device>
void images_of_allowed() {
  for (const image_shape s : image_shapes) {
    CAPTURE(s.channels);
    const index rows = s.images * s.pixels;
    const masked_batch<Device, float> b({rows, s.channels});
    const typename Device::template buffer<float> z(planes_of(b.z, s.channels, s.pixels)), pixels(b.z), image(b.z),
        matrix(b.z), losses{std::size_t(rows)}, same{std::size_t(rows)};
    const auto objective =
        hone::cross_entropy(hone::smooth(hone::classes(b.device_labels, {.ignore = -7}), 0.1, hone::allowed_classes)) +
        hone::z_loss(0.125);
    Device::evaluate(objective, hone::image_view<const float>{z.data(), s.images, s.channels, s.pixels},
                     hone::outputs<float, hone::image_view>{.gradient = {image.data(), s.images, s.channels, s.pixels},
                                                            .unreduced = losses.data()},
                     hone::sum);
    Device::evaluate(objective, b.view(pixels),
                     hone::outputs<float>{.gradient = {matrix.data(), rows, s.channels}, .unreduced = same.data()},
                     hone::sum);
    const auto alike = [](std::vector<float> const& seen, std::vector<float> const& expected) {
      for (std::size_t i = 0; i < seen.size(); ++i)
        if (!close(double(seen[i]), double(expected[i]), 1e-5)) return false;
      return true;
    };
    CHECK(alike(image.host(), planes_of(matrix.host(), s.channels, s.pixels)));
    CHECK(alike(losses.host(), same.host()));
  }
}

/// A masked label has an infinite loss and the gradient of its allowed classes; a row without any is NaN.
template <class Device>
void masked_labels() {
  constexpr float inf = std::numeric_limits<float>::infinity();
  for (const index K : {index(4), index(200), index(3000), index(40000)}) {
    CAPTURE(K);
    std::vector<float> z(std::size_t(3 * K), -inf);
    z[1] = z[2] = 2;             // row 0: label 0 is masked
    z[std::size_t(K + 3)] = -5;  // row 1: its label alone is allowed
    const typename Device::template buffer<float> device_z(z), gradient(z), losses{std::size_t(3)};
    const typename Device::template buffer<int> labels(std::vector<int>{0, 3, 1});
    Device::evaluate(hone::cross_entropy(hone::smooth(hone::classes(labels), 0.5, hone::allowed_classes)),
                     hone::matrix_view<const float>{device_z.data(), 3, K},
                     hone::outputs<float>{.gradient = {gradient.data(), 3, K}, .unreduced = losses.data()}, hone::sum);
    const auto g = gradient.host(), u = losses.host();
    CHECK(u[0] == inf);
    CHECK(close(double(g[0]), -0.5, 1e-6));
    CHECK(close(double(g[1]), 0.25, 1e-6));
    CHECK(g[3] == 0);
    CHECK(close(double(u[1]), 0, 1e-6));
    CHECK(close(double(g[std::size_t(K + 3)]), 0, 1e-6));
    CHECK(g[std::size_t(K + 2)] == 0);
    CHECK(std::isnan(u[2]));
  }
}

template <class Device>
void row_losses_of_allowed() {
  rows_of_allowed<Device, float>(row_shapes());
  rows_of_allowed<Device, double>(some_row_shapes());
  rows_of_allowed<Device, typename Device::half>(some_row_shapes());
  images_of_allowed<Device>();
  masked_labels<Device>();
}

}  // namespace conformance
