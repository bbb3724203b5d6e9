// SPDX-License-Identifier: MIT
/// What every backend must tell of rows besides their losses: log-sum-exp, predicted classes, counts.
#pragma once

#include <conformance/rows.hpp>

#include <cstdint>

namespace conformance {

/// What is known of one row of logits.
struct row_fact {
  double log_sum_exp = 0;
  int predicted = -1;
};
inline row_fact fact_of(row_of_numbers const& z) {
  row_fact f{0, -1};
  bool sound = true;
  for (std::size_t c = 0; c < z.size(); ++c) {
    sound &= !std::isnan(z[c]) && z[c] < HUGE_VAL;
    if (!std::isnan(z[c]) && (f.predicted < 0 || z[c] > z[std::size_t(f.predicted)])) f.predicted = int(c);
  }
  if (!sound)
    f.log_sum_exp = std::nan("");
  else if (z[std::size_t(f.predicted)] == -HUGE_VAL)
    f.log_sum_exp = -HUGE_VAL;
  else
    f.log_sum_exp = logsumexp(z);
  f.predicted = std::max(f.predicted, 0);
  return f;
}

/// The answers of a call, and those that a reference has for them.
template <class Device, class A>
struct facts_of_rows {
  template <class X>
  using buffer = typename Device::template buffer<X>;

  buffer<A> log_sum_exp;
  buffer<int> predicted;
  buffer<hone::index> correct{1}, counted{1};

  explicit facts_of_rows(index rows) : log_sum_exp(std::size_t(rows)), predicted(std::size_t(rows)) {}

  template <class Outputs>
  Outputs asked_in(Outputs out) const {
    out.log_sum_exp = log_sum_exp.data(), out.predicted = predicted.data();
    out.correct = correct.data(), out.counted = counted.data();
    return out;
  }
  void expect(std::vector<row_fact> const& expected, std::vector<int> const& labels, double bound) const {
    const auto sums = log_sum_exp.host();
    const auto classes = predicted.host();
    index right = 0, all = 0;
    for (std::size_t i = 0; i < expected.size(); ++i) {
      CAPTURE(i);
      CHECK(classes[i] == expected[i].predicted);
      const double sum = double(sums[i]);
      if (std::isfinite(expected[i].log_sum_exp))
        CHECK(close(sum, expected[i].log_sum_exp, bound));
      else if (std::isnan(expected[i].log_sum_exp))
        CHECK(std::isnan(sum));
      else
        CHECK(sum == expected[i].log_sum_exp);
      if (expected[i].predicted < 0) continue;
      ++all, right += expected[i].predicted == labels[i];
    }
    CHECK(correct.host()[0] == right);
    CHECK(counted.host()[0] == all);
  }
};

template <class T>
bool same_bits(std::vector<T> const& a, std::vector<T> const& b) {
  return a.size() == b.size() && (a.empty() || std::memcmp(a.data(), b.data(), a.size() * sizeof(T)) == 0);
}

/// Rows with several largest logits, of which every third is that of the label; ignored rows; rows of weight 0. With
/// and without a gradient, in place, and nothing else changes by a bit.
template <class Device, class T>
void facts_of_labels(std::vector<shape> const& shapes) {
  using A = hone::accumulator_t<T>;
  each_batch<row_batch<Device, T>>(shapes, [](row_batch<Device, T> const& b) {
    const index rows = b.size.rows;
    const std::vector<T> z = b.filled([&](index i, index c) {
      return i % 3 == 0 && c == b.labels[std::size_t(i)] ? 6.0 : std::round(5 * std::sin(1.3 * double(i * 31 + c)));
    });
    std::vector<float> weights = b.weights;
    for (std::size_t i = 1; i < weights.size(); i += 4) weights[i] = 0;
    std::vector<row_fact> all, weighed;
    for (index i = 0; i < rows; ++i) {
      all.push_back(b.ignored(i) ? row_fact{} : fact_of(b.row(z, i)));
      weighed.push_back(weights[std::size_t(i)] == 0 ? row_fact{} : all.back());
    }
    const typename Device::template buffer<float> device_weights(weights);
    const auto objective = hone::cross_entropy(hone::classes(b.device_labels, {.ignore = -7}));
    const typename Device::template buffer<T> from(z), plain(z), gradient(z), in_place(z);
    const typename Device::template buffer<A> losses{std::size_t(rows)}, same{std::size_t(rows)};
    const facts_of_rows<Device, A> alone(rows), beside(rows), over(rows), of_weighed(rows);
    const auto ask = [&](auto const& o, auto const& prediction, hone::outputs<T> const& out) {
      Device::evaluate(o, hone::matrix_view<const T>(b.view(prediction)), out, hone::mean);
    };
    ask(objective, from, {.gradient = b.view(plain), .unreduced = losses.data()});
    ask(objective, from, alone.asked_in(hone::outputs<T>{}));
    ask(objective, from, beside.asked_in(hone::outputs<T>{.gradient = b.view(gradient), .unreduced = same.data()}));
    ask(objective, in_place, over.asked_in(hone::outputs<T>{.gradient = b.view(in_place)}));
    ask(hone::weigh_rows(0.5 * objective, device_weights), from, of_weighed.asked_in(hone::outputs<T>{}));
    for (auto const* facts : {&alone, &beside, &over}) facts->expect(all, b.labels, tolerance<A>);
    of_weighed.expect(weighed, b.labels, tolerance<A>);
    CHECK(same_bits(gradient.host(), plain.host()));
    CHECK(same_bits(in_place.host(), plain.host()));
    CHECK(same_bits(same.host(), losses.host()));
  });
}

/// NaN and infinities, and shapes without rows or classes.
template <class Device>
void facts_of_no_numbers() {
  constexpr float inf = std::numeric_limits<float>::infinity();
  const float nan = std::nanf("");
  for (const index K : {index(3), index(200), index(3000), index(40000)}) {
    CAPTURE(K);
    const row_batch<Device, float> b({10, K});
    std::vector<float> z = b.z;
    const auto at = [&](index i, index c) -> float& { return z[std::size_t(i * K + c)]; };
    const auto fill = [&](index i, float x) {
      for (index c = 0; c < K; ++c) at(i, c) = x;
    };
    at(0, 0) = nan;                                    // the first of a row
    at(1, 1) = nan, at(1, K - 1) = nan, at(1, 2) = 9;  // and others
    fill(2, nan);                                      // all
    fill(4, -inf);                                     // all masked; row 3 is ignored
    fill(5, nan), at(5, 2) = -inf;                     // no number but -inf
    at(6, 1) = at(6, 2) = inf;                         // the larger one, twice
    fill(7, -inf), at(7, K - 1) = -3;                  // one class is allowed
    fill(9, std::numeric_limits<float>::lowest());     // row 8 is ignored
    std::vector<row_fact> expected;
    for (index i = 0; i < 10; ++i) expected.push_back(b.ignored(i) ? row_fact{} : fact_of(b.row(z, i)));
    const typename Device::template buffer<float> device_z(z);
    const facts_of_rows<Device, float> facts(10);
    Device::evaluate(hone::cross_entropy(hone::classes(b.device_labels, {.ignore = -7})),
                     hone::matrix_view<const float>{device_z.data(), 10, K}, facts.asked_in(hone::outputs<float>{}),
                     hone::sum);
    facts.expect(expected, b.labels, tolerance<float>);
  }
  const typename Device::template buffer<int> ignored(std::vector<int>(2, -7)), none(std::size_t(0));
  const facts_of_rows<Device, float> facts(2);
  const auto objective = [](auto const& labels) { return hone::cross_entropy(hone::classes(labels, {.ignore = -7})); };
  Device::evaluate(objective(ignored), hone::matrix_view<const float>{nullptr, 2, 0},
                   facts.asked_in(hone::outputs<float>{}), hone::mean);
  facts.expect({{}, {}}, {-7, -7}, 0);
  const facts_of_rows<Device, float> of_nothing(0);
  Device::evaluate(objective(none), hone::matrix_view<const float>{nullptr, 0, 5},
                   of_nothing.asked_in(hone::outputs<float>{}), hone::mean);
  of_nothing.expect({}, {}, 0);
}

/// A row that the first of two terms with labels ignores, and the second does not, counts, but is not counted.
template <class Device>
void facts_of_two_labels() {
  const typename Device::template buffer<float> z({1, 3, 2, 5, 0, 4});
  const typename Device::template buffer<int> first({-7, 0}), second({1, 2});
  const auto loss = [](auto const& labels) { return hone::cross_entropy(hone::classes(labels, {.ignore = -7})); };
  const facts_of_rows<Device, float> facts(2);
  Device::evaluate(loss(first) + loss(second), hone::matrix_view<const float>{z.data(), 2, 3},
                   facts.asked_in(hone::outputs<float>{}), hone::sum);
  CHECK(facts.predicted.host() == std::vector<int>{1, 0});
  CHECK(facts.correct.host()[0] == 1);
  CHECK(facts.counted.host()[0] == 1);
}

/// Pixels of images, whose numbers are those of the rows of a matrix.
template <class Device>
void facts_of_images() {
  for (const image_shape s : image_shapes) {
    CAPTURE(s.channels);
    const index rows = s.images * s.pixels;
    const row_batch<Device, float> b({rows, s.channels});
    const typename Device::template buffer<float> z(planes_of(b.z, s.channels, s.pixels));
    std::vector<row_fact> expected;
    for (index i = 0; i < rows; ++i) expected.push_back(b.ignored(i) ? row_fact{} : fact_of(b.row(b.z, i)));
    const facts_of_rows<Device, float> facts(rows);
    const hone::image_view<float> image{z.data(), s.images, s.channels, s.pixels};
    Device::evaluate(hone::cross_entropy(hone::classes(b.device_labels, {.ignore = -7})),
                     hone::image_view<const float>(image),
                     facts.asked_in(hone::outputs<float, hone::image_view>{.gradient = image}), hone::mean);
    facts.expect(expected, b.labels, tolerance<float>);
  }
}

/// The padding of the gradient, which holds other numbers before, is 0 behind; all else has the same bits.
template <class Device, class T>
void zero_padding_of_labels(std::vector<shape> const& shapes) {
  each_batch<row_batch<Device, T>>(shapes, [](row_batch<Device, T> const& b) {
    const auto objective = hone::cross_entropy(hone::classes(b.device_labels, {.ignore = -7}));
    for (const hone::reduction how : {hone::reduction(hone::mean), hone::reduction(hone::mean_over(0))}) {
      const typename Device::template buffer<T> from(b.z), plain(b.z), gradient(b.z), in_place(b.z);
      const auto ask = [&](auto const& prediction, hone::outputs<T> const& out) {
        Device::evaluate(objective, hone::matrix_view<const T>(b.view(prediction)), out, how);
      };
      ask(from, {.gradient = b.view(plain)});
      ask(from, {.gradient = b.view(gradient), .zero_padding = true});
      ask(in_place, {.gradient = b.view(in_place), .zero_padding = true});
      std::vector<T> expected = plain.host();
      for (index i = 0; i < b.size.rows; ++i)
        for (index c = b.size.columns; c < b.stride; ++c) expected[std::size_t(i * b.stride + c)] = T(0.0f);
      CHECK(same_bits(gradient.host(), expected));
      CHECK(same_bits(in_place.host(), expected));
    }
  });
}

template <class Device>
void row_facts_of_labels() {
  facts_of_labels<Device, float>(row_shapes());
  facts_of_labels<Device, double>(some_row_shapes());
  facts_of_labels<Device, typename Device::half>(some_row_shapes());
  facts_of_labels<Device, typename Device::bfloat16>(row_shapes());
  zero_padding_of_labels<Device, float>({{131, 10, 3}, {3, 129, 7}, {3, 1024, 8}, {4, 9, 0}, {2, 32772, 4}});
  zero_padding_of_labels<Device, typename Device::bfloat16>({{131, 10, 3}, {3, 129, 7}, {2, 4100, 3}});
  facts_of_no_numbers<Device>();
  facts_of_two_labels<Device>();
  facts_of_images<Device>();
}

}  // namespace conformance
