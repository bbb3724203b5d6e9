// SPDX-License-Identifier: MIT
// What docs/grammar.md shows: views, outputs, reductions, sums, row weights, errors.
#include "expect.hpp"

#include <hone/hone.hpp>

#include <cmath>
#include <cstdint>
#include <cstdio>
#include <string>
#include <vector>

int main() {
  const hone::index rows = 4, columns = 3;
  std::vector<float> logits = {2, 0, -1, 0, 1, 0, -1, 0, 3, 1, 1, 1}, gradient(12), losses(4),
                     row_weights = {1, 0, 2, 1};
  std::vector<float> teacher = {3, 0, -1, 0, 2, 0, -2, 0, 4, 0, 1, 0};
  std::vector<std::int64_t> labels = {0, 1, 2, -100};
  hone::cpu cpu;
  const auto target = hone::classes(labels, {.ignore = -100});
  const auto objective = hone::cross_entropy(target);
  {
    // [outputs]
    float value = 0;
    double loss = hone::evaluate(cpu, objective, hone::matrix_view{logits.data(), rows, columns},
                                 {.gradient = {gradient.data(), rows, columns},  // d value / d logits
                                  .unreduced = losses.data(),                    // one loss per row
                                  .value = &value},                              // what is returned, too
                                 hone::mean);
    // [/outputs]
    expect(near(loss, value) && near(loss * 3, losses[0] + losses[1] + losses[2]) && losses[3] == 0, "outputs");
  }
  {
    // [validation]
    std::vector<int> classes(4);
    std::vector<float> log_sums(4);
    hone::index correct = 0, counted = 0;
    double loss = hone::evaluate(cpu, objective, hone::matrix_view{logits.data(), rows, columns},
                                 {.log_sum_exp = log_sums.data(),  // one per row
                                  .predicted = classes.data(),     // the class with the largest logit
                                  .correct = &correct,             // where it is the label
                                  .counted = &counted});           // of how many rows
    double accuracy = double(correct) / double(counted);
    // [/validation]
    expect(classes == std::vector{0, 1, 2, -1} && counted == 3 && near(accuracy, 1), "validation");
    expect(near(3 * loss, log_sums[0] + log_sums[1] + log_sums[2] - 2 - 1 - 3) && log_sums[3] == 0, "log_sum_exp");
  }
  {
    // [in_place]
    hone::matrix_view z{logits.data(), rows, columns};
    double before = hone::evaluate(cpu, objective, z);                 // the value alone
    double loss = hone::evaluate(cpu, objective, z, {.gradient = z});  // the gradient takes the logits' place
    // [/in_place]
    expect(before == loss && logits == gradient, "in place");
    logits = {2, 0, -1, 0, 1, 0, -1, 0, 3, 1, 1, 1};
  }
  const hone::matrix_view z{logits.data(), rows, columns};
  {
    // [strided]
    std::vector<float> wide(4 * 16, 99);  // rows of 16 numbers, of which 3 are classes
    hone::matrix_view<float> padded{wide.data(), rows, columns, 16};
    // [/strided]
    for (hone::index i = 0; i < rows; ++i)
      for (hone::index c = 0; c < columns; ++c) padded.row(i)[c] = logits[std::size_t(i * columns + c)];
    expect(near(hone::evaluate(cpu, objective, padded), hone::evaluate(cpu, objective, z)), "strided");
  }
  {
    const double positives = 2;
    // [reductions]
    double mean = hone::evaluate(cpu, objective, z);  // hone::mean: over the rows that are not ignored
    double sum = hone::evaluate(cpu, objective, z, {}, hone::sum);
    double over = hone::evaluate(cpu, objective, z, {}, hone::mean_over(positives));
    // [/reductions]
    expect(near(mean * 3, sum) && near(over * 2, sum), "reductions");
  }
  {
    // [sums]
    const auto taught = hone::distillation(hone::matrix_view{teacher.data(), rows, columns}, 4);
    const auto total = 0.7 * hone::cross_entropy(target) + 0.3 * (taught + hone::z_loss(1e-4));
    double loss = hone::evaluate(cpu, total, z, {.gradient = {gradient.data(), rows, columns}});
    // [/sums]
    // A term of its own knows no ignored rows: leave the fourth out by hand.
    const hone::matrix_view three{logits.data(), 3, columns};
    const auto taught_3 = hone::distillation(hone::matrix_view{teacher.data(), 3, columns}, 4);
    expect(near(loss, 0.7 * hone::evaluate(cpu, objective, z) + 0.3 * hone::evaluate(cpu, taught_3, three) +
                          0.3 * hone::evaluate(cpu, hone::z_loss(1e-4), three)),
           "sums");
  }
  {
    // [weigh_rows]
    const auto weighed = hone::weigh_rows(hone::cross_entropy(target), row_weights);
    double loss = hone::evaluate(cpu, weighed, z);  // divided by 3, the rows that are not ignored
    // [/weigh_rows]
    expect(near(loss, (losses[0] + 2 * losses[2]) / 3), "weigh_rows");
  }
  {
    const int images = 1, channels = 3, height = 2, width = 2;
    std::vector<float> scores = {2, 0, -1, 1, 0, 1, 0, 1, -1, 0, 3, 1}, slopes(12);
    // [images]
    hone::image_view scores_of_pixels{scores.data(), images, channels, height, width};  // N x C x H x W
    double loss = hone::evaluate(cpu, hone::cross_entropy(hone::smooth(target, 0.1)), scores_of_pixels,
                                 {.gradient = {slopes.data(), images, channels, height, width}});
    // [/images]
    expect(near(loss, hone::evaluate(cpu, hone::cross_entropy(hone::smooth(target, 0.1)), z)), "images");
  }
  {
    // [half]
    std::vector<Eigen::bfloat16> narrow(logits.begin(), logits.end()), slopes(narrow.size());
    double loss = hone::evaluate(cpu, objective, hone::matrix_view{narrow.data(), rows, columns},
                                 {.gradient = {slopes.data(), rows, columns}, .unreduced = losses.data()});  // float
    // [/half]
    expect(near(loss, hone::evaluate(cpu, objective, z)), "half");
  }
  {
    std::string message;
    // [errors]
    try {
      hone::evaluate(cpu, objective, z, {.gradient = {gradient.data(), rows, columns + 1}});
    } catch (const hone::invalid_argument& error) {
      message = error.what();  // evaluate: gradient is 4 x 4, prediction is 4 x 3
    }
    // [/errors]
    expect(message == "evaluate: gradient is 4 x 4, prediction is 4 x 3", "errors");
  }
  return failures;
}
