// SPDX-License-Identifier: MIT
// The snippets of docs/distillation.md.
#include "expect.hpp"

#include <hone/hone.hpp>

#include <cmath>
#include <cstdint>
#include <vector>

int main() {
  const int rows = 2, classes = 4;
  std::vector<float> logits = {2, 0, -1, 0.5f, 1, 1, 0, -2}, teacher = {3, 0, -2, 1, 0, 2, 0, -1},
                     other = {1, 1, 0, 0, 0, 3, -3, 1}, gradient(8);
  std::vector<int> labels = {0, 1};
  hone::cpu cpu;
  const hone::matrix_view z{logits.data(), rows, classes}, t{teacher.data(), rows, classes};
  const hone::matrix_view u{other.data(), rows, classes};
  {
    // [mixed]
    const auto target = hone::classes(labels);
    auto objective = hone::knowledge_distillation(target, t, 4, {.alpha = 0.9});
    double loss = hone::evaluate(cpu, objective, z, {.gradient = {gradient.data(), rows, classes}});
    // [/mixed]
    expect(loss,
           0.1 * hone::evaluate(cpu, hone::cross_entropy(target), z) +
               0.9 * hone::evaluate(cpu, hone::distillation(t, 4), z),
           "mixed");
  }
  {
    // [hard_labels]
    std::vector<int> taught(rows);
    hone::hard_labels(cpu, t, taught);
    auto objective =
        0.5 * hone::cross_entropy(hone::classes(labels)) + 0.5 * hone::cross_entropy(hone::classes(taught));
    // [/hard_labels]
    expect(taught == std::vector<int>{0, 1}, "hard_labels");
    expect(hone::evaluate(cpu, objective, z) > 0, "their loss");
  }
  {
    // [average_teachers]
    std::vector<float> mean(rows * classes);
    const hone::matrix_view taught{mean.data(), rows, classes};
    hone::average_teachers(cpu, {t, u}, 4, taught);
    double loss = hone::evaluate(cpu, hone::distillation(taught, 4), z);
    // [/average_teachers]
    expect(loss > 0, "average_teachers");
    const double p = std::exp(3.0 / 4) / (std::exp(3.0 / 4) + 1 + std::exp(-0.5) + std::exp(0.25)),
                 q = std::exp(0.25) / (2 * std::exp(0.25) + 2);
    double total = 0;
    for (std::size_t c = 0; c < 4; ++c) total += std::exp(double(mean[c]) / 4);
    expect(std::exp(double(mean[0]) / 4) / total, (p + q) / 2, "their mean");
  }
  {
    // [whose_mean]
    const auto objective = hone::distillation(t, 4);
    double per_row = hone::evaluate(cpu, objective, z);                              // "batchmean"; the default
    double per_element = hone::evaluate(cpu, objective, z, {}, hone::element_mean);  // PyTorch's "mean"
    // [/whose_mean]
    expect(per_row, classes * per_element, "whose_mean");
    expect(per_row, hone::evaluate(cpu, objective, z, {}, hone::batch_mean), "batch_mean");
  }
  {
    // [temperature]
    const hone::polynomial temperature{.peak = 8, .floor = 1, .total = 1000};  // a line
    const auto weight = hone::warmup(hone::constant{.value = 1}, {.start = 0, .steps = 100});
    const auto objective_of = [&](hone::integer step) {
      const double T = temperature.rate(step);
      return hone::cross_entropy(hone::classes(labels)) +
             weight.rate(step) * hone::decoupled_distillation(hone::classes(labels), t, T);
    };
    double loss = hone::evaluate(cpu, objective_of(50), z);
    // [/temperature]
    const auto label = hone::classes(labels);
    expect(loss,
           hone::evaluate(cpu, hone::cross_entropy(label), z) +
               0.5 * hone::evaluate(cpu, hone::decoupled_distillation(label, t, 7.65), z),
           "temperature");
  }
  return failures;
}
