// SPDX-License-Identifier: MIT
// What docs/targets.md shows. Every target is compared with the dense rows that it stands for.
#include "expect.hpp"

#include <hone/hone.hpp>

#include <cmath>
#include <cstdio>
#include <vector>

namespace {

const std::vector<float> logits = {2, 0, -1, 0, 1, 0, -1, 0, 3};

/// The objective's sum is Σ q (-log softmax(z)) for these q.
void expect_target(auto const& target, std::vector<double> const& q, const char* what) {
  const hone::matrix_view z{logits.data(), 3, 3};
  const double sum = hone::evaluate(hone::cpu(), hone::cross_entropy(target), z, {}, hone::sum);
  double expected = 0;
  for (std::size_t i = 0; i < 3; ++i) {
    double total = 0;
    for (std::size_t c = 0; c < 3; ++c) total += std::exp(double(logits[3 * i + c]));
    for (std::size_t c = 0; c < 3; ++c) expected += q[3 * i + c] * (std::log(total) - double(logits[3 * i + c]));
  }
  expect(std::abs(sum - expected) < 1e-5, what);
}

}  // namespace

int main() {
  // [classes]
  std::vector<int> labels = {0, 1, -100};
  auto hard = hone::classes(labels, {.ignore = -100});  // the third row counts for nothing
  // [/classes]
  expect_target(hard, {1, 0, 0, 0, 1, 0, 0, 0, 0}, "classes");

  // [probabilities]
  std::vector<float> q = {0.5f, 0.5f, 0, 0, 1, 0, 0.25f, 0.25f, 0.5f};
  auto soft = hone::probabilities(hone::matrix_view{q.data(), 3, 3});
  // [/probabilities]
  expect_target(soft, {0.5, 0.5, 0, 0, 1, 0, 0.25, 0.25, 0.5}, "probabilities");

  // [two_hot]
  std::vector<float> y = {0.25f, 2, 1.5f};
  auto between = hone::two_hot(y);
  // [/two_hot]
  expect_target(between, {0.75, 0.25, 0, 0, 0, 1, 0, 0.5, 0.5}, "two_hot");

  std::vector<int> first = {0, 1, 2}, second = {1, 1, 0};
  // [mix]
  std::vector<float> lambda = {0.75f, 0.5f, 1};
  auto one_for_all = hone::mix(hone::classes(first), hone::classes(second), 0.75);
  auto one_per_row = hone::mix(hone::classes(first), hone::classes(second), lambda);
  // [/mix]
  expect_target(one_for_all, {0.75, 0.25, 0, 0, 1, 0, 0.25, 0, 0.75}, "mix");
  expect_target(one_per_row, {0.75, 0.25, 0, 0, 1, 0, 0, 0, 1}, "mix per row");

  // [smooth]
  auto uniform = hone::smooth(hone::classes(first), 0.3);                         // 0.8 and 0.1
  auto elsewhere = hone::smooth(hone::classes(first), 0.3, hone::leave_one_out);  // 0.7 and 0.15
  // [/smooth]
  expect_target(uniform, {0.8, 0.1, 0.1, 0.1, 0.8, 0.1, 0.1, 0.1, 0.8}, "smooth");
  expect_target(elsewhere, {0.7, 0.15, 0.15, 0.15, 0.7, 0.15, 0.15, 0.15, 0.7}, "leave_one_out");

  // [allowed_classes]
  std::vector<float> masked = {1, -INFINITY, 2, 3, 2, -INFINITY, 0, 1, 2};
  auto allowed = hone::smooth(hone::classes(first), 0.3, hone::allowed_classes);  // 0.85 and 0.15; in the third row 0.8
  hone::matrix_view masked_logits{masked.data(), 3, 3};
  double loss = hone::evaluate(hone::cpu(), hone::cross_entropy(allowed), masked_logits);
  // [/allowed_classes]
  const double two = std::log(1 + std::exp(-1)), three = std::log(1 + std::exp(-1) + std::exp(-2));
  expect(std::abs(3 * loss - (two + 0.85 + two + 0.85 + three + 0.3)) < 1e-5, "allowed_classes");

  // [weigh_classes]
  std::vector<float> weights = {1, 2, 0.5f};
  auto weighed = hone::weigh_classes(hone::smooth(hone::classes(first), 0.3), weights);  // outermost
  // [/weigh_classes]
  expect_target(weighed, {0.8, 0.2, 0.05, 0.1, 1.6, 0.05, 0.1, 0.2, 0.4}, "weigh_classes");
  const hone::matrix_view z{logits.data(), 3, 3};
  const double mean = hone::evaluate(hone::cpu(), hone::cross_entropy(weighed), z);
  const double sum = hone::evaluate(hone::cpu(), hone::cross_entropy(weighed), z, {}, hone::sum);
  expect(std::abs(mean - sum / 3.5) < 1e-6, "mean divides by the weights of the labels");

  // [composed]
  auto mixed_up = hone::smooth(hone::mix(hone::classes(first), hone::classes(second), lambda), 0.1);
  // [/composed]
  const double e = 0.1 / 3;
  expect_target(mixed_up, {.9 * .75 + e, .9 * .25 + e, e, e, .9 + e, e, e, e, .9 + e}, "composed");
  return failures;
}
