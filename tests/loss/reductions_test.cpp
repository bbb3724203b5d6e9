// SPDX-License-Identifier: MIT
// Reductions, factors, row weights and ignored rows: gradients against central differences, values against sums
// that are formed here.
#include <hone/hone.hpp>

#include <support/finite_differences.hpp>
#include <support/numbers.hpp>

#include <doctest/doctest.h>

#include <cmath>
#include <vector>

namespace {

using support::distance_from_differences;
using support::noise;

const hone::index n = 5;
const std::vector<hone::reduction> reductions{hone::mean, hone::sum, hone::mean_over(3), hone::batch_mean,
                                              hone::element_mean};

struct batch {
  hone::index columns;
  std::vector<double> z, teacher, q, weights{0.5, 2, 0, 1.25, -1}, class_weights;
  std::vector<int> labels, other;

  explicit batch(hone::index K) : columns(K), z(noise(0, n * K)), teacher(noise(500, n * K)), q(noise(900, n * K)) {
    for (double& x : q) x = std::abs(x) / 4;
    for (hone::index i = 0; i < n; ++i) {
      labels.push_back(i == 3 ? -7 : static_cast<int>((5 * i + 1) % K));
      other.push_back(static_cast<int>((3 * i) % K));
    }
    for (hone::index c = 0; c < K; ++c) class_weights.push_back(0.25 + std::abs(noise(c)));
  }
  hone::matrix_view<const double> view(std::vector<double> const& x) const { return {x.data(), n, columns}; }
};

template <class Objective>
void agree(const char* name, batch const& b, Objective const& objective) {
  CAPTURE(name);
  CAPTURE(b.columns);
  for (hone::reduction how : reductions) CHECK(distance_from_differences(objective, b.z, n, b.columns, how) < 1e-6);
}

/// The value is the sum of the losses over `divisor`, and the gradient that of the sum over `divisor`.
template <class Objective>
void divides_by(double divisor, batch const& b, Objective const& objective, hone::reduction how) {
  CAPTURE(b.columns);
  const hone::index columns = b.columns;
  std::vector<double> summed(b.z.size()), reduced(b.z.size());
  std::vector<double> losses(std::size_t(n * columns)), again(losses.size());
  double written = 0;
  const hone::cpu cpu;
  const double total = hone::evaluate(cpu, objective, b.view(b.z),
                                      {.gradient = {summed.data(), n, columns}, .unreduced = losses.data()}, hone::sum);
  const double value =
      hone::evaluate(cpu, objective, b.view(b.z),
                     {.gradient = {reduced.data(), n, columns}, .unreduced = again.data(), .value = &written}, how);
  double by_hand = 0;
  for (double x : losses) by_hand += x;
  CHECK(total == doctest::Approx(by_hand).epsilon(1e-12));
  CHECK(value == doctest::Approx(by_hand / divisor).epsilon(1e-12));
  CHECK(written == value);
  CHECK(losses == again);
  double worst = 0;
  for (std::size_t i = 0; i < summed.size(); ++i) worst = std::max(worst, std::abs(reduced[i] - summed[i] / divisor));
  CHECK(worst < 1e-13);
}

}  // namespace

TEST_CASE("gradients of row terms match central differences") {
  for (const hone::index K : {1, 2, 3, 7, 16, 33, 40, 100}) {
    const batch b(K);
    const auto first = hone::classes(b.labels, {.ignore = -7}), second = hone::classes(b.other);
    const auto every = [&](const char* name, auto const& target) {
      agree(name, b, hone::cross_entropy(target));
      for (const double gamma : {0.0, 1.0, 2.0, 3.7})
        agree(name, b, hone::softmax_focal_loss(target, {.gamma = gamma}));
    };
    every("classes", first);
    every("smooth(mix)", hone::smooth(hone::mix(first, second, 0.3), 0.125));
    every("leave_one_out", hone::smooth(first, 0.125, hone::leave_one_out));
    every("probabilities", hone::probabilities(b.view(b.q)));
    every("weigh_classes(smooth)", hone::weigh_classes(hone::smooth(first, 0.125), b.class_weights));
    const auto teacher = hone::distillation(b.view(b.teacher), 2.5);
    agree("distillation", b, teacher);
    agree("z_loss", b, hone::z_loss(0.25));
    agree("a sum", b,
          0.5 * hone::weigh_rows(hone::cross_entropy(first) + 2 * teacher, b.weights) + hone::z_loss(0.125));
  }
}

TEST_CASE("gradients of element-wise terms match central differences") {
  for (const hone::index K : {1, 3, 16, 33}) {
    const batch b(K);
    const auto both = [&](const char* name, auto const& make) {
      agree(name, b, make(b.view(b.q)));
      agree(name, b, make(hone::classes(b.labels, {.ignore = -7})));
      agree(name, b, 0.5 * hone::weigh_rows(make(b.view(b.q)), b.weights) + make(hone::classes(b.labels)));
    };
    both("binary_cross_entropy", [](auto t) { return hone::binary_cross_entropy(t); });
    both("sigmoid_focal_loss", [](auto t) { return hone::sigmoid_focal_loss(t, {.gamma = 1.5}); });
    both("quality_focal_loss", [](auto t) { return hone::quality_focal_loss(t); });
    both("varifocal_loss", [](auto t) { return hone::varifocal_loss(t); });
  }
}

TEST_CASE("mean divides by the documented divisor of each loss") {
  for (const hone::index K : {2, 7, 40}) {
    const batch b(K);
    const auto first = hone::classes(b.labels, {.ignore = -7}), second = hone::classes(b.other);
    double label_weights = 0, mixed_weights = 0;
    for (std::size_t i = 0; i < std::size_t(n); ++i) {
      if (b.labels[i] < 0) continue;
      const double mine = b.class_weights[std::size_t(b.labels[i])], its = b.class_weights[std::size_t(b.other[i])];
      label_weights += mine;
      mixed_weights += 0.25 * mine + 0.75 * its;
    }
    const auto dense = hone::probabilities(b.view(b.q));
    divides_by(4, b, hone::cross_entropy(first), hone::mean);
    divides_by(4, b, hone::cross_entropy(first) + hone::z_loss(0.5), hone::mean);
    divides_by(5, b, hone::weigh_rows(hone::cross_entropy(second), b.weights), hone::mean);
    divides_by(3, b, hone::cross_entropy(first), hone::mean_over(3));
    divides_by(label_weights, b, hone::cross_entropy(hone::weigh_classes(hone::smooth(first, 0.1), b.class_weights)),
               hone::mean);
    divides_by(mixed_weights, b,
               hone::cross_entropy(hone::weigh_classes(hone::mix(first, second, 0.25), b.class_weights)), hone::mean);
    divides_by(5, b, hone::cross_entropy(hone::weigh_classes(dense, b.class_weights)), hone::mean);
    divides_by(double(5 * K), b, hone::binary_cross_entropy(b.view(b.q)), hone::mean);
    divides_by(double(4 * K), b, hone::sigmoid_focal_loss(first), hone::mean);
  }
}

TEST_CASE("batch_mean and element_mean divide by rows and by elements") {
  for (const hone::index K : {1, 7, 40}) {
    const batch b(K);
    const double columns = double(K);
    const auto labels = hone::classes(b.labels, {.ignore = -7});
    const auto taught = hone::distillation(b.view(b.teacher), 2.5);
    double weights = 0;
    for (const int label : b.labels)
      if (label >= 0) weights += b.class_weights[std::size_t(label)];
    divides_by(5, b, taught, hone::batch_mean);
    divides_by(5 * columns, b, taught, hone::element_mean);
    divides_by(4, b, hone::cross_entropy(labels) + taught, hone::batch_mean);
    divides_by(4 * columns, b, hone::cross_entropy(labels) + taught, hone::element_mean);
    divides_by(weights, b, hone::cross_entropy(hone::weigh_classes(labels, b.class_weights)), hone::batch_mean);
    divides_by(weights * columns, b, hone::cross_entropy(hone::weigh_classes(labels, b.class_weights)),
               hone::element_mean);
    divides_by(4, b, hone::sigmoid_focal_loss(labels), hone::batch_mean);
    divides_by(4 * columns, b, hone::sigmoid_focal_loss(labels), hone::element_mean);
    divides_by(5, b, hone::binary_cross_entropy(b.view(b.q)), hone::batch_mean);
    divides_by(5 * columns, b, hone::binary_cross_entropy(b.view(b.q)), hone::element_mean);
  }
  const std::vector<double> boxes{0, 0, 2, 2, 1, 1, 3, 4}, truth{0, 0, 2, 1, 1, 1, 4, 4};
  const hone::cpu cpu;
  const auto loss = [&](hone::reduction how) {
    return hone::evaluate(cpu, hone::iou_loss(hone::matrix_view{truth.data(), 2, 4}),
                          hone::matrix_view{boxes.data(), 2, 4}, {}, how);
  };
  CHECK(loss(hone::batch_mean) == loss(hone::mean));
  CHECK(loss(hone::element_mean) == loss(hone::mean));
}

TEST_CASE("every mean is 0, with a gradient of 0, if all rows are ignored") {
  const std::vector<double> z{1, 2, 3, 4};
  const std::vector<int> none{-7, -7};
  const hone::cpu cpu;
  for (hone::reduction how : {hone::mean, hone::batch_mean, hone::element_mean}) {
    std::vector<double> gradient(4, 5);
    CHECK(hone::evaluate(cpu, hone::cross_entropy(hone::classes(none, {.ignore = -7})),
                         hone::matrix_view{z.data(), 2, 2}, {.gradient = {gradient.data(), 2, 2}}, how) == 0);
    CHECK(gradient == std::vector<double>(4));
  }
}

TEST_CASE("the value of a sum of terms is the sum of their values, each with its own divisor") {
  const batch b(7);
  const hone::cpu cpu;
  const auto ce = hone::cross_entropy(hone::weigh_classes(hone::classes(b.labels, {.ignore = -7}), b.class_weights));
  const auto soft = hone::cross_entropy(hone::probabilities(b.view(b.q)));
  const auto z = hone::z_loss(0.5);
  const auto alone = [&](auto const& o) { return hone::evaluate(cpu, o, b.view(b.z)); };
  CHECK(alone(2 * ce + 3 * soft) == doctest::Approx(2 * alone(ce) + 3 * alone(soft)).epsilon(1e-13));
  // The row that ce ignores counts for soft; z_loss skips it.
  std::vector<double> counted(b.z.begin(), b.z.begin() + 21);
  counted.insert(counted.end(), b.z.begin() + 28, b.z.end());
  const double of_counted = hone::evaluate(cpu, z, hone::matrix_view{counted.data(), 4, 7});
  CHECK(alone(ce + z) == doctest::Approx(alone(ce) + of_counted).epsilon(1e-13));
}

TEST_CASE("divisors returns what the mean of each term divides by") {
  const std::vector<float> z(12, 0.5f), weights = {1, 2, 0.5f}, lambda = {1, 0.5f, 0.25f, 0};
  const std::vector<int> labels = {0, 1, 2, -1}, others = {1, 1, 0, 0};
  const hone::matrix_view view{z.data(), 4, 3};
  const auto first = hone::classes(labels, {.ignore = -1}), second = hone::classes(others);
  const auto objective = hone::cross_entropy(hone::weigh_classes(hone::mix(first, second, lambda), weights)) +
                         2 * hone::cross_entropy(second) + hone::z_loss(1e-3) + hone::distillation(view, 2);
  const auto divisors = hone::divisors(hone::cpu(1), objective, view);
  REQUIRE(divisors.size() == 4);
  CHECK(divisors[0] == 1 + (0.5 * 2 + 0.5 * 2) + (0.25 * 0.5 + 0.75 * 1));
  CHECK(divisors[1] == 4);
  CHECK(divisors[2] == 3);
  CHECK(divisors[3] == 3);
  CHECK(hone::divisors(hone::cpu(1), hone::binary_cross_entropy(first), view)[0] == 9);
  const std::vector<int> few = {0, 1};
  CHECK_THROWS_AS(hone::divisors(hone::cpu(1), hone::cross_entropy(hone::classes(few)), view), hone::invalid_argument);
}
