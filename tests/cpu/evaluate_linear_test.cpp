// SPDX-License-Identifier: MIT
#include <hone/hone.hpp>

#include "../support/message.hpp"
#include "../support/same_bytes.hpp"

#include <doctest/doctest.h>

#include <algorithm>
#include <cmath>
#include <random>
#include <vector>

namespace {

using hone::index;
using support::error_of;

// A layer, the labels of its rows, and room for all outputs.
template <class T>
struct layer {
  using A = hone::accumulator_t<T>;

  index rows, features, classes;
  std::vector<T> x, w, b, dx;
  std::vector<A> dw, db, losses;
  std::vector<double> logits;  // of the numbers above, without rounding
  std::vector<int> labels;
  std::vector<float> row_weights;

  layer(index rows_, index features_, index classes_, unsigned seed = 1)
      : rows(rows_),
        features(features_),
        classes(classes_),
        x(std::size_t(rows * features)),
        w(std::size_t(classes * features)),
        b(std::size_t(classes)),
        dx(x.size()),
        dw(w.size()),
        db(b.size()),
        losses(std::size_t(rows)),
        logits(std::size_t(rows * classes)),
        row_weights(std::size_t(rows)) {
    std::mt19937 random(seed);
    std::normal_distribution<float> normal;
    for (auto* numbers : {&x, &w, &b})
      for (T& n : *numbers) n = static_cast<T>(0.5f * normal(random));
    for (index i = 0; i < rows; ++i) labels.push_back(i % 7 == 3 ? -1 : int(random() % unsigned(classes)));
    for (float& r : row_weights) r = float(random() % 3);
    for (index i = 0; i < rows; ++i)
      for (index c = 0; c < classes; ++c) {
        double sum = double(b[std::size_t(c)]);
        for (index f = 0; f < features; ++f)
          sum += double(x[std::size_t(i * features + f)]) * double(w[std::size_t(c * features + f)]);
        logits[std::size_t(i * classes + c)] = sum;
      }
  }
  auto prediction(index rows_at_once = 0) const {
    return hone::linear_logits(hone::matrix_view{x.data(), rows, features},
                               hone::matrix_view{w.data(), classes, features}, b, rows_at_once);
  }
  hone::linear_outputs<T> outputs() {
    return {.input_gradient = {dx.data(), rows, features},
            .weight_gradient = {dw.data(), classes, features},
            .bias_gradient = db,
            .unreduced = losses.data()};
  }
  auto target() const { return hone::classes(labels, {.ignore = -1}); }
};

// The same by logits in double that are stored.
template <class T, class Objective>
void check_against_stored(layer<T>& l, Objective const& objective, hone::reduction how, index rows_at_once,
                          double tolerance) {
  const hone::cpu cpu(2);
  std::vector<double> dz(l.logits.size()), losses(std::size_t(l.rows));
  const double expected = hone::evaluate(cpu, objective, hone::matrix_view{l.logits.data(), l.rows, l.classes},
                                         {.gradient = {dz.data(), l.rows, l.classes}, .unreduced = losses.data()}, how);
  std::fill(l.dw.begin(), l.dw.end(), 99), std::fill(l.db.begin(), l.db.end(), 99);
  const double value = hone::evaluate(cpu, objective, l.prediction(rows_at_once), l.outputs(), how);
  CHECK(value == doctest::Approx(expected).epsilon(tolerance));
  const auto at = [](auto const& v, index i) { return double(v[std::size_t(i)]); };
  double worst = 0, narrow = sizeof(T) == 2 ? 0.01 : tolerance;
  double largest = 1e-300;
  for (const double g : dz) largest = std::max(largest, std::abs(g));
  const auto see = [&](double got, double want, double bound) {
    worst = std::max(worst, std::abs(got - want) / bound);
  };
  for (index i = 0; i < l.rows; ++i) {
    see(at(l.losses, i), losses[std::size_t(i)], tolerance * (1 + std::abs(losses[std::size_t(i)])));
    for (index f = 0; f < l.features; ++f) {
      double sum = 0;
      for (index c = 0; c < l.classes; ++c) sum += at(dz, i * l.classes + c) * at(l.w, c * l.features + f);
      see(at(l.dx, i * l.features + f), sum, narrow * largest * std::sqrt(double(l.classes)));
    }
  }
  for (index c = 0; c < l.classes; ++c) {
    double of_bias = 0;
    for (index i = 0; i < l.rows; ++i) of_bias += at(dz, i * l.classes + c);
    see(at(l.db, c), of_bias, tolerance * largest * std::sqrt(double(l.rows)));
    for (index f = 0; f < l.features; ++f) {
      double sum = 0;
      for (index i = 0; i < l.rows; ++i) sum += at(dz, i * l.classes + c) * at(l.x, i * l.features + f);
      see(at(l.dw, c * l.features + f), sum, tolerance * largest * std::sqrt(double(l.rows)));
    }
  }
  CHECK(worst <= 1);
}

TEST_CASE_TEMPLATE("linear_logits have the values and gradients of stored logits", T, float, double, Eigen::half,
                   Eigen::bfloat16) {
  const double tolerance = std::is_same_v<T, double> ? 1e-12 : 2e-5;
  for (auto const& shape : {std::array<index, 3>{1, 1, 1}, {5, 3, 4}, {37, 19, 33}, {70, 300, 270}, {20, 40, 700}}) {
    layer<T> l(shape[0], shape[1], shape[2]);
    for (const index at_once : {index(0), index(1), index(16), index(33)}) {
      CAPTURE(shape[0]);
      CAPTURE(at_once);
      check_against_stored(l, hone::cross_entropy(l.target()), hone::mean, at_once, tolerance);
      check_against_stored(l, hone::cross_entropy(hone::smooth(l.target(), 0.1)) + hone::z_loss(1e-3), hone::sum,
                           at_once, tolerance);
    }
    check_against_stored(
        l,
        0.5 * hone::weigh_rows(hone::softmax_focal_loss(l.target()), l.row_weights) + hone::cross_entropy(l.target()),
        hone::mean_over(11), 8, tolerance);
  }
}

TEST_CASE("linear_logits tell the log-sum-exp and the class of rows, and count them") {
  layer<float> l(31, 5, 40), none(3, 5, 1);
  const auto objective = [](auto const& of) { return hone::cross_entropy(hone::smooth(of.target(), 0.1)); };
  std::vector<double> expected(31);
  std::vector<float> sums(31, 7);
  std::vector<int> expected_classes(31), classes(31, 7);
  index expected_counts[2], counts[2];
  hone::evaluate(hone::cpu(2), objective(l), hone::matrix_view{l.logits.data(), l.rows, l.classes},
                 {.log_sum_exp = expected.data(),
                  .predicted = expected_classes.data(),
                  .correct = expected_counts,
                  .counted = expected_counts + 1});
  auto out = l.outputs();
  out.log_sum_exp = sums.data(), out.predicted = classes.data(), out.correct = counts, out.counted = counts + 1;
  hone::evaluate(hone::cpu(2), objective(l), l.prediction(7), out);
  for (std::size_t i = 0; i < 31; ++i) CHECK(double(sums[i]) == doctest::Approx(expected[i]).epsilon(1e-5));
  CHECK(classes == expected_classes);
  CHECK(counts[0] == expected_counts[0]);
  CHECK(counts[1] == 27);
  CHECK(expected_counts[1] == 27);
  none.labels = {-1, -1, -1};
  const hone::linear_logits no_classes(hone::matrix_view{none.x.data(), 3, 5}, hone::matrix_view{none.w.data(), 0, 5});
  hone::evaluate(hone::cpu(2), objective(none), no_classes,
                 {.log_sum_exp = sums.data(), .predicted = classes.data(), .counted = counts});
  CHECK(std::vector(sums.begin(), sums.begin() + 3) == std::vector<float>(3, 0));
  CHECK(std::vector(classes.begin(), classes.begin() + 3) == std::vector<int>(3, -1));
  CHECK(counts[0] == 0);
}

TEST_CASE("linear_logits: bits do not depend on the number of threads") {
  layer<float> one(150, 300, 1000), many(150, 300, 1000);
  const auto loss = hone::cross_entropy(hone::smooth(one.target(), 0.1));
  const double value = hone::evaluate(hone::cpu(1), loss, one.prediction(64), one.outputs());
  for (const int threads : {2, 3, 5}) {
    CHECK(hone::evaluate(hone::cpu(threads), loss, many.prediction(64), many.outputs()) == value);
    CHECK(support::same_bytes(one.dx.data(), many.dx.data(), one.dx.size() * sizeof(float)));
    CHECK(support::same_bytes(one.dw.data(), many.dw.data(), one.dw.size() * sizeof(float)));
    CHECK(support::same_bytes(one.db.data(), many.db.data(), one.db.size() * sizeof(float)));
    CHECK(support::same_bytes(one.losses.data(), many.losses.data(), one.losses.size() * sizeof(float)));
  }
}

TEST_CASE("linear_logits: gradients of parameters accumulate, and the input's may replace the input") {
  layer<double> a(9, 4, 6), b(7, 4, 6, 2), both(16, 4, 6);
  b.w = a.w, b.b = a.b, both.w = a.w, both.b = a.b;
  both.x = a.x, both.x.insert(both.x.end(), b.x.begin(), b.x.end());
  both.labels = a.labels, both.labels.insert(both.labels.end(), b.labels.begin(), b.labels.end());
  const hone::cpu cpu(1);
  hone::evaluate(cpu, hone::cross_entropy(both.target()), both.prediction(), both.outputs(), hone::sum);
  hone::evaluate(cpu, hone::cross_entropy(a.target()), a.prediction(), a.outputs(), hone::sum);
  auto more = b.outputs();
  more.weight_gradient = a.outputs().weight_gradient, more.bias_gradient = a.db, more.accumulate = true;
  more.input_gradient = {b.x.data(), b.rows, b.features};  // in place
  hone::evaluate(cpu, hone::cross_entropy(b.target()), b.prediction(2), more, hone::sum);
  for (std::size_t i = 0; i < a.dw.size(); ++i) CHECK(a.dw[i] == doctest::Approx(both.dw[i]).epsilon(1e-12));
  for (std::size_t i = 0; i < a.db.size(); ++i) CHECK(a.db[i] == doctest::Approx(both.db[i]).epsilon(1e-12));
  for (std::size_t i = 0; i < b.x.size(); ++i)
    CHECK(b.x[i] == doctest::Approx(both.dx[a.dx.size() + i]).epsilon(1e-12));
}

TEST_CASE("linear_logits of few or no rows, features and classes") {
  const hone::cpu cpu(2);
  layer<float> none(0, 3, 4), flat(3, 0, 4), empty(2, 3, 0 + 1);
  none.dw.assign(none.dw.size(), 7), none.db.assign(none.db.size(), 7);
  CHECK(hone::evaluate(cpu, hone::cross_entropy(none.target()), none.prediction(), none.outputs()) == 0);
  CHECK(none.dw[5] == 0);
  CHECK(none.db[3] == 0);
  std::fill(flat.b.begin(), flat.b.end(), 1.0f);
  CHECK(hone::evaluate(cpu, hone::cross_entropy(flat.target()), flat.prediction(), flat.outputs()) ==
        doctest::Approx(std::log(4)));
  CHECK(hone::evaluate(cpu, hone::cross_entropy(empty.target()), empty.prediction(), empty.outputs()) == 0);
  // All rows ignored: everything is 0, for logits that are not finite too.
  layer<float> ignored(5, 3, 4);
  ignored.labels.assign(5, -1), ignored.x[0] = INFINITY;
  ignored.dx.assign(ignored.dx.size(), 7);
  CHECK(hone::evaluate(cpu, hone::cross_entropy(ignored.target()), ignored.prediction(), ignored.outputs()) == 0);
  CHECK(ignored.dx[0] == 0);
  CHECK(ignored.dw[0] == 0);
}

TEST_CASE("linear_logits refuse what does not fit, and write nothing") {
  const hone::cpu cpu(1);
  layer<float> l(5, 3, 4);
  const auto message = [&](auto const& z, hone::linear_outputs<float> const& out) {
    l.dx[0] = 7;
    std::string error = error_of([&] { hone::evaluate(cpu, hone::cross_entropy(l.target()), z, out); });
    CHECK(l.dx[0] == 7);
    return error;
  };
  const hone::matrix_view x{l.x.data(), 5, 3}, w{l.w.data(), 4, 3};
  CHECK(message(hone::linear_logits(x, hone::matrix_view{l.w.data(), 6, 2}), l.outputs()) ==
        "evaluate: weight is 6 x 2, the input has 3 features");
  CHECK(message(hone::linear_logits(x, w, std::span<float>(l.b).first(3)), l.outputs()) ==
        "evaluate: bias has 3 numbers for 4 classes");
  CHECK(message(l.prediction(-2), l.outputs()) == "evaluate: rows_at_once is -2, must not be negative");
  auto out = l.outputs();
  out.weight_gradient = {l.dw.data(), 3, 4};
  CHECK(message(l.prediction(), out) == "evaluate: weight_gradient is 3 x 4, must be 4 x 3");
  out = l.outputs(), out.bias_gradient = std::span<float>(l.w).first(4);
  CHECK(message(l.prediction(), out) ==
        "evaluate: bias_gradient and weight overlap, bias_gradient begins 0 bytes after weight; they must be apart");
  l.labels[2] = 4;
  CHECK(message(l.prediction(), l.outputs()) == "evaluate: the label of row 2 is 4, must be in [0, 4)");
  l.labels.pop_back();
  CHECK(message(l.prediction(), l.outputs()) == "evaluate: 4 labels for 5 rows");
}

}  // namespace
