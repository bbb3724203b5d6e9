// SPDX-License-Identifier: MIT
// The examples of docs/calibration.md.
#include <hone/hone.hpp>

#include "expect.hpp"

#include <cmath>
#include <cstdio>
#include <span>
#include <vector>

int main() {
  constexpr int rows = 8, classes = 2;
  const std::vector<int> labels{0, 0, 1, 0, 1, 1, 0, 1};
  std::vector<float> numbers;  // sure by 2, wrong twice of eight times
  for (const int predicted : {0, 0, 1, 0, 1, 0, 1, 1})
    for (int c = 0; c < classes; ++c) numbers.push_back(c == predicted ? 2.0f : 0.0f);
  const hone::matrix_view<const float> logits{numbers.data(), rows, classes};
  const hone::cpu cpu;

  // [reliability]
  const hone::reliability_diagram d = hone::reliability(cpu, logits, labels, {.bins = 15});
  const double error = d.expected_calibration_error();
  for (const hone::reliability_bin& b : d.bins)  // the bars of a diagram
    if (b.count > 0) std::printf("%.2f %.2f %.2f\n", b.upper, b.mean_confidence(), b.accuracy());
  // [/reliability]
  expect(error, 1 / (1 + std::exp(-2.0)) - 0.75, "the calibration error");
  expect(d.accuracy(), 0.75, "the accuracy");

  // [batches]
  hone::reliability_diagram all;
  for (int begin = 0; begin < rows; begin += 4) {
    const hone::matrix_view batch{logits.row(begin), 4, classes};
    all.add(hone::reliability(cpu, batch, std::span(labels).subspan(std::size_t(begin), 4)));
  }
  // [/batches]
  expect(all.expected_calibration_error(), error, "the same of batches");

  const auto &held_out = logits, &test_logits = logits;
  const auto &held_out_labels = labels, &test_labels = labels;
  // [temperature]
  const hone::temperature_fit fit = hone::fit_temperature(cpu, held_out, held_out_labels);
  const auto scaled = hone::reliability(cpu, test_logits, test_labels, {.temperature = fit.temperature});
  // [/temperature]
  expect(fit.temperature, 2 / std::log(3.0), "the temperature");
  expect(scaled.expected_calibration_error(), 0, "the error at that temperature");

  // [static]
  const double of_all_classes = hone::static_calibration_error(cpu, logits, labels);
  // [/static]
  expect(of_all_classes, error, "the same of two classes");
  return failures;
}
