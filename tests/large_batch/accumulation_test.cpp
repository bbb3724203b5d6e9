// SPDX-License-Identifier: MIT
// Gradients of micro-batches against those of the large batch, through a linear model and evaluate.
#include <hone/hone.hpp>

#include "support/message.hpp"
#include "support/numbers.hpp"

#include <doctest/doctest.h>

#include <cmath>
#include <limits>
#include <vector>

namespace {

constexpr hone::index features = 4, classes = 7, rows = 24;
const std::vector<hone::index> micro_batches = {1, 5, 4, 9, 5};  // rows of each
const std::vector<double> class_weights = {0.5, 2, 1, 0.25, 3, 1, 4};

std::vector<int> labels() {
  std::vector<int> y = support::labels(rows, classes);
  for (const std::size_t i : {2u, 3u, 6u, 7u, 8u, 9u, 12u, 23u}) y[i] = -100;  // the third micro-batch has no other
  return y;
}

// The gradient of the model's weights from rows [begin, begin + count): xᵀ times the gradient of the logits, added.
template <class T>
struct model {
  std::vector<T> x, w, gradient;

  model() : gradient(std::size_t(features * classes)) {
    for (const double v : support::noise(0, rows * features)) x.push_back(static_cast<T>(v));
    for (const double v : support::noise(1000, features * classes)) w.push_back(static_cast<T>(v));
  }

  double add(hone::index begin, hone::index count, hone::reduction how, double factor = 1, bool weighed = false) {
    std::vector<T> z(std::size_t(count * classes)), g(z.size());
    for (hone::index i = 0; i < count; ++i)
      for (hone::index f = 0; f < features; ++f)
        for (hone::index c = 0; c < classes; ++c)
          z[std::size_t(i * classes + c)] +=
              x[std::size_t((begin + i) * features + f)] * w[std::size_t(f * classes + c)];
    const std::vector<int> all = labels(), y(all.begin() + begin, all.begin() + begin + count);
    const hone::matrix_view logits{z.data(), count, classes}, gradients{g.data(), count, classes};
    const auto target = hone::classes(y, {.ignore = -100});
    hone::cpu cpu{1};
    const double value = weighed
                             ? hone::evaluate(cpu, hone::cross_entropy(hone::weigh_classes(target, class_weights)),
                                              logits, {.gradient = gradients}, how)
                             : hone::evaluate(cpu, hone::cross_entropy(target), logits, {.gradient = gradients}, how);
    for (hone::index i = 0; i < count; ++i)
      for (hone::index f = 0; f < features; ++f)
        for (hone::index c = 0; c < classes; ++c)
          gradient[std::size_t(f * classes + c)] +=
              static_cast<T>(factor) * x[std::size_t((begin + i) * features + f)] * g[std::size_t(i * classes + c)];
    return factor * value;
  }
};

template <class T>
double difference(const model<T>& a, const model<T>& b, double factor = 1) {
  double most = 0;
  for (std::size_t i = 0; i < a.gradient.size(); ++i)
    most = std::max(most, std::abs(double(a.gradient[i]) * factor - double(b.gradient[i])));
  return most;
}

// f(begin, count, labels) for every micro-batch.
template <class F>
void each_micro_batch(F f) {
  const std::vector<int> all = labels();
  hone::index begin = 0;
  for (const hone::index count : micro_batches) {
    f(begin, count, std::vector<int>(all.begin() + begin, all.begin() + begin + count));
    begin += count;
  }
  REQUIRE(begin == rows);
}

template <class T>
void accumulates(double tolerance) {
  model<T> whole;
  const double value = whole.add(0, rows, hone::mean);
  const hone::index total = hone::count_rows(labels(), -100);
  CHECK(total == 16);

  model<T> known, shared, summed, guessed, naive;
  double known_value = 0, shared_value = 0, summed_value = 0;
  hone::accumulation counted;
  each_micro_batch([&](hone::index begin, hone::index count, const std::vector<int>& y) {
    const hone::index valid = hone::count_rows(y, -100);
    known_value += known.add(begin, count, hone::mean_over(total));
    shared_value += shared.add(begin, count, hone::mean, hone::micro_batch_share(valid, total));
    summed_value += summed.add(begin, count, hone::sum);
    guessed.add(begin, count, hone::mean_over(20));
    counted.add(valid);
    naive.add(begin, count, hone::mean, 1.0 / static_cast<double>(micro_batches.size()));
  });
  CHECK(counted.total == 16);
  CHECK(counted.factor() == 1.0 / 16);
  CHECK(std::abs(known_value - value) <= tolerance);
  CHECK(std::abs(shared_value - value) <= tolerance);
  CHECK(std::abs(summed_value * counted.factor() - value) <= tolerance);
  CHECK(difference(known, whole) <= tolerance);
  CHECK(difference(shared, whole) <= tolerance);
  CHECK(difference(summed, whole, counted.factor()) <= tolerance);
  CHECK(difference(guessed, whole, counted.factor(20)) <= tolerance);
  CHECK(difference(naive, whole) > 0.01);  // the mean of means is something else
}

TEST_CASE("micro-batches with different numbers of valid rows add up to the large batch") {
  accumulates<double>(1e-14);
  accumulates<float>(5e-6);
}

TEST_CASE("accumulation with class weights counts the sum of the labels' weights") {
  model<double> whole, parts;
  const double value = whole.add(0, rows, hone::mean, 1, true);
  double parts_value = 0;
  hone::accumulation counted;
  each_micro_batch([&](hone::index begin, hone::index count, const std::vector<int>& y) {
    parts_value += parts.add(begin, count, hone::sum, 1, true);
    for (const int label : y)
      if (label != -100) counted.add(class_weights[std::size_t(label)]);
  });
  CHECK(std::abs(parts_value * counted.factor() - value) <= 1e-14);
  CHECK(difference(parts, whole, counted.factor()) <= 1e-14);
}

TEST_CASE("accumulation of no rows has a factor of 0") {
  hone::accumulation none;
  none.add(0);
  CHECK(none.factor() == 0);
  CHECK(hone::micro_batch_share(0, 0) == 0);
  CHECK(hone::count_rows(std::vector<long>{}, -1) == 0);
  CHECK(hone::count_rows(std::vector<unsigned char>{0, 255, 7, 255}, 255) == 2);  // any label may stand for nothing
}

TEST_CASE("accumulation: invalid arguments throw, and nothing is counted") {
  using support::message;
  const double nan = std::numeric_limits<double>::quiet_NaN();
  hone::accumulation rows_so_far{.total = 8};
  CHECK(message([&] { rows_so_far.add(-1); }) == "accumulation: counted is -1, must be finite and not negative");
  CHECK(message([&] { rows_so_far.add(nan); }) == "accumulation: counted is nan, must be finite and not negative");
  CHECK(rows_so_far.total == 8);
  CHECK(message([&] { rows_so_far.factor(0); }) == "accumulation: divided_by is 0, must be finite and above 0");
  CHECK(message([&] { rows_so_far.factor(nan); }) == "accumulation: divided_by is nan, must be finite and above 0");
  CHECK(message([] { hone::micro_batch_share(5, 4); }) == "micro_batch_share: counted is 5, must be in [0, total]");
  CHECK(message([&] { hone::micro_batch_share(nan, 4); }) ==
        "micro_batch_share: counted is nan, must be in [0, total]");
  CHECK(message([&] { hone::micro_batch_share(1, nan); }) ==
        "micro_batch_share: total is nan, must be finite and not negative");
}

}  // namespace
