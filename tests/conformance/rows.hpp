// SPDX-License-Identifier: MIT
/// What every backend must answer for objectives of rows: one list of cases, against the formulas in double.
#pragma once

#include <conformance/batch.hpp>

#include <algorithm>
#include <functional>
#include <limits>

namespace conformance {

using row_of_numbers = std::vector<double>;

/// A loss with its gradient, of one row.
struct row_answer {
  double loss = 0;
  row_of_numbers gradient;
};

inline row_of_numbers softmax(row_of_numbers const& z, double temperature) {
  const double most = *std::max_element(z.begin(), z.end());
  row_of_numbers p;
  double total = 0;
  for (const double x : z) p.push_back(std::exp((x - most) / temperature)), total += p.back();
  for (double& x : p) x /= total;
  return p;
}
inline double logsumexp(row_of_numbers const& z) {
  const double most = *std::max_element(z.begin(), z.end());
  double total = 0;
  for (const double x : z) total += std::exp(x - most);
  return most + std::log(total);
}

inline row_answer cross_entropy_of(row_of_numbers const& z, row_of_numbers const& q) {
  const double lse = logsumexp(z);
  double mass = 0;
  for (const double x : q) mass += x;
  row_answer a{0, softmax(z, 1)};
  for (std::size_t c = 0; c < z.size(); ++c) {
    a.loss += q[c] * (lse - z[c]);
    a.gradient[c] = mass * a.gradient[c] - q[c];
  }
  return a;
}
inline row_answer focal_of(row_of_numbers const& z, row_of_numbers const& q) {  // γ = 2
  const row_of_numbers p = softmax(z, 1);
  const double lse = logsumexp(z);
  row_answer a{0, row_of_numbers(z.size())};
  double total = 0;
  for (std::size_t c = 0; c < z.size(); ++c) {
    const double log_p = z[c] - lse, rest = -std::expm1(log_p);
    a.loss -= q[c] * rest * rest * log_p;
    a.gradient[c] = q[c] * (2 * rest * p[c] * log_p - rest * rest);
    total += a.gradient[c];
  }
  for (std::size_t c = 0; c < z.size(); ++c) a.gradient[c] -= p[c] * total;
  return a;
}
inline row_answer soft_target_focal_of(row_of_numbers const& z, row_of_numbers const& q) {  // γ = 2
  const row_of_numbers p = softmax(z, 1);
  const double lse = logsumexp(z);
  row_answer a{0, row_of_numbers(z.size())};
  double total = 0;
  for (std::size_t c = 0; c < z.size(); ++c) {
    const double log_p = z[c] - lse, apart = q[c] - 1 - std::expm1(log_p);
    a.loss -= q[c] * apart * apart * log_p;
    a.gradient[c] = q[c] * apart * (2 * p[c] * log_p - apart);
    total += a.gradient[c];
  }
  for (std::size_t c = 0; c < z.size(); ++c) a.gradient[c] -= p[c] * total;
  return a;
}
inline row_answer ldam_of(row_of_numbers z, std::size_t label, double margin, double scale) {
  z[label] -= margin;
  for (double& x : z) x *= scale;
  row_of_numbers q(z.size());
  q[label] = 1;
  row_answer a = cross_entropy_of(z, q);
  for (double& g : a.gradient) g *= scale;
  return a;
}
inline row_answer poly1_of(row_of_numbers const& z, row_of_numbers const& q) {  // ε = 2
  const row_of_numbers p = softmax(z, 1);
  row_answer a = cross_entropy_of(z, q);
  double hit = 0;
  for (std::size_t c = 0; c < z.size(); ++c) a.loss += 2 * q[c] * (1 - p[c]), hit += q[c] * p[c];
  for (std::size_t c = 0; c < z.size(); ++c) a.gradient[c] += 2 * p[c] * (hit - q[c]);
  return a;
}
inline row_answer distillation_of(row_of_numbers const& z, row_of_numbers const& teacher, double T) {
  const row_of_numbers s = softmax(z, T), t = softmax(teacher, T);
  row_answer a{0, row_of_numbers(z.size())};
  for (std::size_t c = 0; c < z.size(); ++c) {
    a.loss += T * T * t[c] * (std::log(t[c]) - std::log(s[c]));
    a.gradient[c] = T * (s[c] - t[c]);
  }
  return a;
}
inline row_answer expected_bin_of(row_of_numbers const& z) {
  row_answer a{0, softmax(z, 1)};
  for (std::size_t c = 0; c < z.size(); ++c) a.loss += double(c) * a.gradient[c];
  for (std::size_t c = 0; c < z.size(); ++c) a.gradient[c] *= double(c) - a.loss;
  return a;
}
inline row_answer z_loss_of(row_of_numbers const& z, double coefficient) {
  const double lse = logsumexp(z);
  row_answer a{coefficient * lse * lse, softmax(z, 1)};
  for (double& g : a.gradient) g *= 2 * coefficient * lse;
  return a;
}

/// Logits, and everything that an objective may ask for, in host and device memory.
template <class Device, class T>
struct row_batch : padded<Device, T> {
  using padded<Device, T>::filled;
  using padded<Device, T>::size;
  template <class X>
  using buffer = typename Device::template buffer<X>;

  std::vector<T> z, soft, taught;
  std::vector<int> labels, others;
  std::vector<float> weights, class_weights, lambda, numbers_of_bins;
  buffer<T> device_z, device_soft, device_taught;
  buffer<int> device_labels, device_others;
  buffer<float> device_weights, device_class_weights, device_lambda, device_numbers_of_bins;

  explicit row_batch(shape s)
      : padded<Device, T>(s),
        z(filled([](index i, index c) { return 5 * std::sin(1.3 * double(i * 31 + c)); })),
        soft(filled(
            [&](index i, index c) { return (i + c) % 3 == 0 ? 0.0 : 3.0 / double((1 + (i + c) % 5) * s.columns); })),
        taught(filled([](index i, index c) { return 4 * std::cos(0.7 * double(i * 17 + c)); })),
        labels(per_row<int>([&](index i) { return i % 5 == 3 ? -7 : int(i * 7 % s.columns); })),
        others(per_row<int>([&](index i) { return int((i * 11 + s.columns - 1) % s.columns); })),
        weights(per_row<float>([](index i) { return 0.5 + 0.25 * double(i % 4); })),
        class_weights(numbers<float>(s.columns, [](index c) { return 0.25 + 0.5 * double(c % 3); })),
        lambda(per_row<float>([](index i) { return 0.125 * double(i % 8); })),
        numbers_of_bins(per_row<float>([&](index i) {
          return i % 7 == 4 ? -1 : double(s.columns - 1) * (i % 5 == 1 ? 1 : std::abs(std::sin(double(i))));
        })),
        device_z(z),
        device_soft(soft),
        device_taught(taught),
        device_labels(labels),
        device_others(others),
        device_weights(weights),
        device_class_weights(class_weights),
        device_lambda(lambda),
        device_numbers_of_bins(numbers_of_bins) {}

  row_of_numbers row(std::vector<T> const& v, index i) const {
    row_of_numbers r;
    for (index c = 0; c < size.columns; ++c) r.push_back(this->at(v, i, c));
    return r;
  }
  row_of_numbers one_hot(index label) const {
    row_of_numbers q(std::size_t(size.columns));
    if (label >= 0) q[std::size_t(label)] = 1;
    return q;
  }
  row_of_numbers two_hot(index i) const {
    row_of_numbers q;
    for (index c = 0; c < size.columns; ++c)
      q.push_back(std::max(0.0, 1 - std::abs(double(numbers_of_bins[std::size_t(i)]) - double(c))));
    return q;
  }
  double label_weight(index i) const { return double(class_weights[std::size_t(labels[std::size_t(i)])]); }
  bool ignored(index i) const { return labels[std::size_t(i)] == -7; }
  double kept() const {
    double n = 0;
    for (index i = 0; i < size.rows; ++i) n += !ignored(i);
    return n;
  }

 private:
  template <class X, class Number>
  static std::vector<X> numbers(index n, Number number) {
    std::vector<X> v;
    for (index i = 0; i < n; ++i) v.push_back(static_cast<X>(number(i)));
    return v;
  }
  template <class X, class Number>
  std::vector<X> per_row(Number number) const {
    return numbers<X>(size.rows, number);
  }
};

/// One term of an expected answer.
struct expected_term {
  std::function<row_answer(index)> row;
  std::function<double(index)> weight;  // factor and row weight; 0 where the row is skipped
  double divisor;
};

template <class Device, class T, class Objective>
void expect_rows(row_batch<Device, T> const& b, Objective const& objective, std::vector<expected_term> const& terms,
                 hone::reduction how, bool in_place = false) {
  const answers<T> a = ask(b, objective, b.z, b.size.rows, how, in_place);
  double total = 0;
  bool gradients = true, unreduced = true;
  for (index i = 0; i < b.size.rows; ++i) {
    double loss = 0;
    row_of_numbers expected(std::size_t(b.size.columns));
    for (auto const& term : terms) {
      const double weight = term.weight(i);
      if (weight == 0) continue;
      const row_answer one = term.row(i);
      loss += weight * one.loss;
      if (term.divisor == 0) continue;
      total += weight * one.loss / term.divisor;
      for (std::size_t c = 0; c < expected.size(); ++c) expected[c] += weight * one.gradient[c] / term.divisor;
    }
    const row_of_numbers seen = b.row(a.gradient, i);
    const double scale = terms[0].divisor > 0 ? terms[0].divisor : 1;
    for (std::size_t c = 0; c < expected.size(); ++c)
      gradients &= close(seen[c] * scale, expected[c] * scale, tolerance<T>);
    unreduced &= close(double(a.unreduced[std::size_t(i)]), loss, tolerance<hone::accumulator_t<T>>);
  }
  CHECK_MESSAGE(gradients, "gradient");
  CHECK_MESSAGE(unreduced, "unreduced");
  CHECK_MESSAGE(b.padding_is_untouched(a.gradient), "padding is not written");
  CHECK(close(a.value, total, tolerance<hone::accumulator_t<T>>));
}

/// Labels, ignored rows, every reduction, row weights, in place.
template <class Device, class T>
void rows_of_labels(std::vector<shape> const& shapes) {
  each_batch<row_batch<Device, T>>(shapes, [](auto const& b) {
    const double kept = b.kept();
    const auto row = [&](index i) { return cross_entropy_of(b.row(b.z, i), b.one_hot(b.labels[std::size_t(i)])); };
    const auto counts = [&](index i) { return double(!b.ignored(i)); };
    const auto objective = hone::cross_entropy(hone::classes(b.device_labels, {.ignore = -7}));
    expect_rows(b, objective, {{row, counts, kept}}, hone::mean);
    expect_rows(b, objective, {{row, counts, kept}}, hone::mean, true);
    expect_rows(b, objective, {{row, counts, kept}}, hone::batch_mean);
    expect_rows(b, objective, {{row, counts, kept * double(b.size.columns)}}, hone::element_mean);
    expect_rows(b, objective, {{row, counts, 3}}, hone::mean_over(3));
    expect_rows(b, objective, {{row, counts, 0}}, hone::mean_over(0));
    expect_rows(b, objective, {{row, counts, 0}}, hone::mean_over(0), true);
    expect_rows(b, hone::weigh_rows(0.5 * objective, b.device_weights),
                {{row, [&](index i) { return b.ignored(i) ? 0 : 0.5 * double(b.weights[std::size_t(i)]); }, 1}},
                hone::sum);
  });
}

/// All kinds of targets.
template <class Device, class T>
void rows_of_targets(std::vector<shape> const& shapes) {
  each_batch<row_batch<Device, T>>(shapes, [](auto const& b) {
    const double K = double(b.size.columns), n = double(b.size.rows);
    const auto all = [](index) { return 1.0; };
    const auto smoothed = [K](row_of_numbers q, double epsilon) {
      for (double& x : q) x = (1 - epsilon) * x + epsilon / K;
      return q;
    };
    const auto mixed = [](row_of_numbers a, row_of_numbers const& other, double lambda) {
      for (std::size_t c = 0; c < a.size(); ++c) a[c] = lambda * a[c] + (1 - lambda) * other[c];
      return a;
    };
    const auto weighed = [&b](row_of_numbers q) {
      for (std::size_t c = 0; c < q.size(); ++c) q[c] *= double(b.class_weights[c]);
      return q;
    };
    const auto first = [&b](index i) { return b.one_hot(b.labels[std::size_t(i)]); };
    const auto second = [&b](index i) { return b.one_hot(b.others[std::size_t(i)]); };
    const auto lambda = [&b](index i) { return double(b.lambda[std::size_t(i)]); };
    const auto counts = [&b](index i) { return double(!b.ignored(i)); };
    const double kept = b.kept();
    double weight = 0;
    for (index i = 0; i < b.size.rows; ++i)
      if (!b.ignored(i)) weight += b.label_weight(i);
    const auto one = hone::classes(b.device_labels, {.ignore = -7}), other = hone::classes(b.device_others);
    const auto dense = hone::probabilities(b.view(b.device_soft));

    expect_rows(b, hone::cross_entropy(hone::smooth(hone::mix(one, other, b.device_lambda), 0.1)),
                {{[&](index i) {
                    return cross_entropy_of(b.row(b.z, i), smoothed(mixed(first(i), second(i), lambda(i)), 0.1));
                  },
                  counts, kept}},
                hone::mean);
    expect_rows(b, hone::cross_entropy(hone::weigh_classes(one, b.device_class_weights)),
                {{[&](index i) { return cross_entropy_of(b.row(b.z, i), weighed(first(i))); }, counts, weight}},
                hone::mean);
    expect_rows(
        b, hone::cross_entropy(hone::weigh_classes(hone::smooth(one, 0.2), b.device_class_weights)),
        {{[&](index i) { return cross_entropy_of(b.row(b.z, i), weighed(smoothed(first(i), 0.2))); }, counts, weight}},
        hone::mean);
    expect_rows(
        b, hone::cross_entropy(hone::mix(dense, other, 0.25)),
        {{[&](index i) { return cross_entropy_of(b.row(b.z, i), mixed(b.row(b.soft, i), second(i), 0.25)); }, all, n}},
        hone::mean);
    expect_rows(b, hone::softmax_focal_loss(hone::smooth(other, 0.1)),
                {{[&](index i) { return focal_of(b.row(b.z, i), smoothed(second(i), 0.1)); }, all, n}}, hone::mean);
    expect_rows(b, hone::soft_target_focal_loss(hone::smooth(other, 0.1)),
                {{[&](index i) { return soft_target_focal_of(b.row(b.z, i), smoothed(second(i), 0.1)); }, all, n}},
                hone::mean);
    expect_rows(b, hone::ldam_loss(one, b.device_class_weights, {.scale = 0.5}),
                {{[&](index i) {
                    return ldam_of(b.row(b.z, i), std::size_t(b.labels[std::size_t(i)]), b.label_weight(i), 0.5);
                  },
                  counts, kept}},
                hone::mean);
    expect_rows(
        b, hone::poly1_cross_entropy(hone::mix(one, other, b.device_lambda)),
        {{[&](index i) { return poly1_of(b.row(b.z, i), mixed(first(i), second(i), lambda(i))); }, counts, kept}},
        hone::mean);

    double placed = 0;
    const auto in_bins = [&b](index i) { return double(b.numbers_of_bins[std::size_t(i)] >= 0); };
    for (index i = 0; i < b.size.rows; ++i) placed += in_bins(i);
    expect_rows(b, hone::distribution_focal_loss(b.device_numbers_of_bins, {.ignore = -1}),
                {{[&](index i) { return cross_entropy_of(b.row(b.z, i), b.two_hot(i)); }, in_bins, placed}},
                hone::mean);
  });
}

/// A teacher, labels and a z-loss in one sweep.
template <class Device, class T>
void rows_of_terms(std::vector<shape> const& shapes) {
  each_batch<row_batch<Device, T>>(shapes, [](auto const& b) {
    const double kept = b.kept();
    const auto times = [&b](double factor) { return [&b, factor](index i) { return b.ignored(i) ? 0 : factor; }; };
    expect_rows(b,
                0.7 * hone::cross_entropy(hone::classes(b.device_labels, {.ignore = -7})) +
                    0.3 * hone::distillation(b.view(b.device_taught), 3) + hone::z_loss(1e-2),
                {{[&](index i) { return cross_entropy_of(b.row(b.z, i), b.one_hot(b.labels[std::size_t(i)])); },
                  times(0.7), kept},
                 {[&](index i) { return distillation_of(b.row(b.z, i), b.row(b.taught, i), 3); }, times(0.3), kept},
                 {[&](index i) { return z_loss_of(b.row(b.z, i), 1e-2); }, times(1), kept}},
                hone::mean);
    expect_rows(b, hone::weigh_rows(hone::expected_bin(), b.device_weights),
                {{[&](index i) { return expected_bin_of(b.row(b.z, i)); },
                  [&](index i) { return double(b.weights[std::size_t(i)]); }, 1}},
                hone::sum);
  });
}

/// Images answer as the matrix of their pixels does, with everything else in their own layout.
template <class Device>
void rows_of_images() {
  for (const image_shape s : image_shapes) {
    CAPTURE(s.channels);
    const index rows = s.images * s.pixels;
    const row_batch<Device, float> b({rows, s.channels});
    const auto planes = [&](std::vector<float> const& v) { return planes_of(v, s.channels, s.pixels); };
    const typename Device::template buffer<float> z(planes(b.z)), taught(planes(b.taught)), soft(planes(b.soft)),
        image(b.z), matrix(b.z), losses{std::size_t(rows)}, same{std::size_t(rows)}, value(1), as_value(1);
    const auto view = [&](auto const& from) {
      return hone::image_view<const float>{from.data(), s.images, s.channels, s.pixels};
    };
    const auto objective = [&](auto teacher, auto probabilities) {
      return hone::cross_entropy(hone::smooth(hone::classes(b.device_labels, {.ignore = -7}), 0.1)) +
             hone::weigh_rows(hone::distillation(teacher, 2), b.device_weights) +
             hone::softmax_focal_loss(hone::probabilities(probabilities));
    };
    Device::evaluate(objective(view(taught), view(soft)), view(z),
                     hone::outputs<float, hone::image_view>{.gradient = {image.data(), s.images, s.channels, s.pixels},
                                                            .unreduced = losses.data(),
                                                            .value = value.data()},
                     hone::mean);
    Device::evaluate(
        objective(b.view(b.device_taught), b.view(b.device_soft)), b.view(b.device_z),
        hone::outputs<float>{
            .gradient = {matrix.data(), rows, s.channels}, .unreduced = same.data(), .value = as_value.data()},
        hone::mean);
    answers_alone_are_those_of_all<Device, float>(objective(view(taught), view(soft)), view(z),
                                                  {image.host(), losses.host(), double(value.host()[0])}, b.z,
                                                  hone::mean);
    const auto alike = [](std::vector<float> const& a, std::vector<float> const& other, double scale) {
      for (std::size_t i = 0; i < a.size(); ++i)
        if (!close(scale * double(a[i]), scale * double(other[i]), 1e-5)) return false;
      return true;
    };
    CHECK(alike(image.host(), planes(matrix.host()), double(rows)));
    CHECK(alike(losses.host(), same.host(), 1));
    CHECK(alike(value.host(), as_value.host(), 1));
  }
}

/// NaN and infinities: in their row only, and in no row that counts for nothing.
template <class Device>
void rows_of_no_numbers() {
  for (const index K : {index(3), index(32), index(80), index(200), index(3000), index(40000)}) {
    CAPTURE(K);
    row_batch<Device, float> b({9, K});
    std::vector<float> z = b.z;
    z[std::size_t(1 * K + 2)] = std::nanf("");  // NaN stays in row 1
    z[std::size_t(3 * K + 1)] = std::nanf("");  // row 3 is ignored
    for (index c = 0; c < K; ++c)               // row 4: all but its label
      if (c != b.labels[4]) z[std::size_t(4 * K + c)] = -std::numeric_limits<float>::infinity();
    for (index c = 0; c < K; ++c) z[std::size_t(5 * K + c)] = std::numeric_limits<float>::lowest();
    const typename Device::template buffer<float> device_z(z), gradient(z), losses{std::size_t(9)};
    Device::evaluate(hone::cross_entropy(hone::classes(b.device_labels, {.ignore = -7})),
                     hone::matrix_view<const float>{device_z.data(), 9, K},
                     hone::outputs<float>{.gradient = {gradient.data(), 9, K}, .unreduced = losses.data()}, hone::sum);
    const auto g = gradient.host(), u = losses.host();
    for (index i = 0; i < 9; ++i) {
      CAPTURE(i);
      bool nan = true, finite = true, zero = true;
      for (index c = i * K; c < (i + 1) * K; ++c) {
        nan &= std::isnan(g[std::size_t(c)]);
        finite &= std::isfinite(g[std::size_t(c)]);
        zero &= g[std::size_t(c)] == 0;
      }
      CHECK(std::isnan(u[std::size_t(i)]) == (i == 1));
      CHECK(nan == (i == 1));
      CHECK(finite == (i != 1));
      if (i == 3 || i == 4) CHECK(zero);
      if (i == 3 || i == 4) CHECK(u[std::size_t(i)] == 0);
      if (i == 5) CHECK(close(double(u[5]), std::log(double(K)), 1e-5));
      if (i == 5) CHECK(close(double(g[std::size_t(5 * K)]), 1 / double(K) - double(b.labels[5] == 0), 1e-6));
    }
  }
}

/// Rows that begin beside a multiple of 16 bytes answer as those that do not, whether the gradient's rows begin as far
/// beside one or not.
template <class Device>
void rows_of_odd_pointers() {
  for (const index K :
       {index(12), index(48), index(80), index(200), index(1001), index(3000), index(12000), index(40000)}) {
    CAPTURE(K);
    const row_batch<Device, float> b({6, K});
    std::vector<float> shifted{0};
    shifted.insert(shifted.end(), b.z.begin(), b.z.end());
    const typename Device::template buffer<float> from(shifted), gradient(b.z);
    const auto objective = hone::cross_entropy(hone::classes(b.device_labels, {.ignore = -7}));
    const hone::matrix_view<const float> odd{from.data() + 1, 6, K};
    Device::evaluate(objective, b.view(b.device_z), hone::outputs<float>{.gradient = {gradient.data(), 6, K}},
                     hone::sum);
    const auto expected = gradient.host();
    for (const std::size_t beside : {std::size_t(0), std::size_t(1), std::size_t(2)}) {
      CAPTURE(beside);
      const typename Device::template buffer<float> to(std::vector<float>(b.z.size() + 3));
      Device::evaluate(objective, odd, hone::outputs<float>{.gradient = {to.data() + beside, 6, K}}, hone::sum);
      const auto seen = to.host();
      bool alike = true, untouched = true;
      for (std::size_t i = 0; i < expected.size(); ++i)
        alike &= close(double(seen[i + beside]), double(expected[i]), tolerance<float>);
      for (std::size_t i = 0; i < seen.size(); ++i)
        untouched &= seen[i] == 0 || (i >= beside && i < beside + expected.size());
      CHECK(alike);
      CHECK(untouched);
    }
  }
}

/// Softmax does not depend on a number that is added to all logits, if it leaves their bits. The loss of a row whose
/// other logits are far below the highest is their distance from it.
template <class Device>
void rows_of_large_logits() {
  for (const index K : {index(12), index(200), index(3000), index(12000), index(40000)}) {
    for (const double by : {1e3, -1e4, 3e5, -2e6, 6e8, -9e8, 3e9, -3e20, 1e38}) {
      CAPTURE(K);
      CAPTURE(by);
      row_batch<Device, float> b({2, K});
      const auto at = static_cast<float>(by);
      for (std::size_t i = 0; i < b.z.size(); ++i) b.z[i] = at + b.z[i];
      const typename Device::template buffer<float> z(b.z), gradient(b.z), losses(2);
      Device::evaluate(hone::cross_entropy(hone::classes(b.device_labels, {.ignore = -7})),
                       hone::matrix_view<const float>{z.data(), 2, K},
                       hone::outputs<float>{.gradient = {gradient.data(), 2, K}, .unreduced = losses.data()},
                       hone::sum);
      const auto g = gradient.host(), u = losses.host();
      for (index i = 0; i < 2; ++i) {
        row_of_numbers row, q(static_cast<std::size_t>(K));
        for (index c = 0; c < K; ++c) row.push_back(double(b.z[std::size_t(i * K + c)]) - double(at));
        q[std::size_t(b.labels[std::size_t(i)])] = 1;
        const row_answer right = cross_entropy_of(row, q);
        CHECK(close(double(u[std::size_t(i)]), right.loss, tolerance<float>));
        bool alike = true;
        for (index c = 0; c < K; ++c)
          alike &= close(double(g[std::size_t(i * K + c)]), right.gradient[std::size_t(c)], tolerance<float>);
        CHECK(alike);
      }
    }
  }
}

/// Sizes on both sides of every change of kernel.
inline std::vector<shape> row_shapes() {
  return {{1, 1},       {300, 1},     {5, 2},    {129, 10},  {131, 10, 3}, {131, 16},    {19, 16, 1}, {130, 20},
          {33, 20, 12}, {7, 31},      {257, 32}, {5, 48, 8}, {66, 56},     {40, 80},     {3, 80, 4},  {7, 95},
          {130, 96},    {9, 97},      {17, 128}, {7, 96, 2}, {3, 129, 7},  {9, 1000},    {8, 1001},   {3, 1024, 8},
          {4, 1025},    {2, 4100, 3}, {2, 8193}, {3, 16384}, {1, 32768},   {2, 32772, 4}};
}
inline std::vector<shape> some_row_shapes() {
  return {{131, 10}, {133, 32}, {7, 64}, {9, 100}, {5, 1003, 1}, {3, 8190, 2}, {2, 40001, 7}};
}

template <class Device>
void row_losses_of_labels() {
  rows_of_labels<Device, float>(row_shapes());
  rows_of_labels<Device, double>(some_row_shapes());
  rows_of_labels<Device, typename Device::half>(some_row_shapes());
  rows_of_labels<Device, typename Device::bfloat16>(row_shapes());
  rows_of_labels<Device, float>({{1, 200000, 1}});
  rows_of_no_numbers<Device>();
  rows_of_odd_pointers<Device>();
  rows_of_large_logits<Device>();
}
template <class Device>
void row_losses_of_targets() {
  rows_of_targets<Device, float>(row_shapes());
}
template <class Device>
void row_losses_of_terms() {
  rows_of_terms<Device, float>(row_shapes());
  rows_of_terms<Device, typename Device::half>(some_row_shapes());
  rows_of_terms<Device, double>({{131, 10}, {131, 16}, {9, 48}, {9, 100}, {3, 3000}, {2, 200000}});
  rows_of_images<Device>();
}

}  // namespace conformance
