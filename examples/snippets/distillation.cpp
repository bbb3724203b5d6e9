// SPDX-License-Identifier: MIT
// The snippets of docs/distillation.md.
#include "expect.hpp"

#include <hone/hone.hpp>

#include <cmath>
#include <cstdint>
#include <cstdio>
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
    // [write]
    hone::teacher_writer writer("teacher.hone", {.classes = classes, .k = 2, .temperature = 2});
    writer.append(t);  // batch after batch, in the order of the data set
    writer.append(u);
    writer.finish();
    // [/write]
    // [read]
    const hone::teacher_reader stored("teacher.hone");
    const std::vector<int> samples = {3, 0};  // the rows of this batch
    hone::top_k_batch taught;
    stored.gather(samples, taught);
    auto objective = 0.1 * hone::cross_entropy(hone::classes(labels)) + 0.9 * hone::top_k_distillation(taught);
    double loss = hone::evaluate(cpu, objective, z, {.gradient = {gradient.data(), rows, classes}});
    // [/read]
    std::remove("teacher.hone");
    expect(stored.rows() == 4 && taught.classes == std::vector<std::int32_t>{1, 3, 0, 3}, "what was stored");
    const double cross = hone::evaluate(cpu, hone::cross_entropy(hone::classes(labels)), z);
    double divergence = 0;  // of row 3 of the teachers from the first of the student, and of row 0 from the second
    for (std::size_t i = 0; i < 2; ++i) {
      std::vector<double> p, s;
      double of_p = 0, of_s = 0, rest_p = 1, rest_s = 1;
      for (std::size_t c = 0; c < 4; ++c) {
        p.push_back(std::exp(double(i == 0 ? other[4 + c] : teacher[c]) / 2)), of_p += p.back();
        s.push_back(std::exp(double(logits[4 * i + c]) / 2)), of_s += s.back();
      }
      for (std::size_t j = 0; j < 2; ++j) {
        const auto c = std::size_t(taught.classes[2 * i + j]);
        divergence += p[c] / of_p * std::log(p[c] / of_p / s[c] * of_s);
        rest_p -= p[c] / of_p, rest_s -= s[c] / of_s;
      }
      divergence += rest_p * std::log(rest_p / rest_s);
    }
    expect(std::abs(loss - 0.1 * cross - 0.9 * 4 * divergence / 2) < 1e-3, "the stored teacher's loss");
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
