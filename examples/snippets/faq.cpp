// SPDX-License-Identifier: MIT
// What docs/faq.md shows.
#include "expect.hpp"

#include <hone/hone.hpp>

#include <cmath>
#include <limits>
#include <vector>

int main() {
  const hone::index rows = 4, classes = 3;
  std::vector<float> logits = {2, 0, -1, 0, 1, 0, -1, 0, 3, 1, 1, 1}, losses(4);
  const std::vector<int> labels = {0, 1, 2, 0};
  const hone::matrix_view z{logits.data(), rows, classes};
  hone::cpu cpu;
  {
    // [class_weights]
    const std::vector<float> weights = {1, 2, 4};
    const auto objective = hone::cross_entropy(hone::weigh_classes(hone::classes(labels), weights));
    double as_pytorch = hone::evaluate(cpu, objective, z);                      // divides by 1 + 2 + 4 + 1
    double by_rows = hone::evaluate(cpu, objective, z, hone::mean_over(rows));  // by 4, as reduction="none" and .mean()
    // [/class_weights]
    expect(as_pytorch * 8, by_rows * 4, "class weights");
    hone::evaluate(cpu, objective, z, {.unreduced = losses.data()});
    expect(by_rows * 4, double(losses[0]) + losses[1] + losses[2] + losses[3], "the mean of unreduced losses");
  }
  {
    // [nothing_left]
    const std::vector<int> padding(4, -100);
    const auto objective = hone::cross_entropy(hone::classes(padding, {.ignore = -100}));
    double loss = hone::evaluate(cpu, objective, z);  // 0, and the gradient is 0; NaN in PyTorch
    // [/nothing_left]
    expect(loss == 0, "nothing left");
  }
  {
    const std::vector<float> two_logits = {0, 0};
    const std::vector<int> label = {0};
    const hone::matrix_view two{two_logits.data(), 1, 2};
    // [half_of_epsilon]
    const auto spread = hone::smooth(hone::classes(label), 0.1);                      // 0.95 and 0.05: PyTorch
    const auto moved = hone::smooth(hone::classes(label), 0.1, hone::leave_one_out);  // 0.9 and 0.1
    // [/half_of_epsilon]
    std::vector<float> gradient(2);
    hone::evaluate(cpu, hone::cross_entropy(spread), two, {.gradient = {gradient.data(), 1, 2}});
    expect(gradient[1], 0.5 - 0.05, "uniform smoothing");
    hone::evaluate(cpu, hone::cross_entropy(moved), two, {.gradient = {gradient.data(), 1, 2}});
    expect(gradient[1], 0.5 - 0.1, "smoothing of the others");
  }
  {
    std::vector<float> broken = logits;
    broken[5] = std::numeric_limits<float>::quiet_NaN();
    const hone::matrix_view prediction{broken.data(), rows, classes};
    const auto objective = hone::cross_entropy(hone::classes(labels));
    // [which_row]
    hone::evaluate(cpu, objective, prediction, {.unreduced = losses.data()});
    hone::index first_bad = 0;  // the row whose logits are to be looked at
    while (first_bad < rows && std::isfinite(losses[static_cast<std::size_t>(first_bad)])) ++first_bad;
    // [/which_row]
    expect(first_bad == 1, "which row");
  }
  {
    const std::vector<float> scores = {3, -2, -4, -3, -5, 1};
    const std::vector<float> wanted = {1, 0, 0, 0, 0, 1};
    const hone::matrix_view anchors{scores.data(), 6, 1};
    // [positives]
    const double positives = 2;  // anchors with an object; the others are thousands
    const auto objective = hone::sigmoid_focal_loss(hone::matrix_view{wanted.data(), 6, 1});
    double loss = hone::evaluate(cpu, objective, anchors, hone::mean_over(positives));
    // [/positives]
    expect(loss * 2, hone::evaluate(cpu, objective, anchors, hone::sum), "positives");
  }
  {
    // [memory]
    const hone::ema plain{.decay = 0.9999}, ramped{.decay = 0.9999, .ramp = hone::exponential_ramp(2000)};
    double share = std::pow(plain.decay_at(1), 25000);  // 0.08 of the initial weights after 25,000 updates
    double early = ramped.decay_at(100);                // 0.049: the average follows the weights at first
    // [/memory]
    expect(std::abs(share - 0.0821) < 1e-4, "what is left of the initial weights");
    expect(std::abs(early - 0.0488) < 1e-4, "an early decay");
  }
  {
    std::vector<float> numbers = {3, std::numeric_limits<float>::infinity(), 4};
    // [infinite_norm]
    const hone::tensor_list<float> gradients{{numbers.data(), 3}};
    const auto report = hone::transform(cpu, hone::clip_by_global_norm(1), gradients);
    bool take_the_step = report.finite;  // false: report.norm is inf, and no gradient was changed
    // [/infinite_norm]
    expect(!take_the_step && std::isinf(report.norm) && numbers[0] == 3 && numbers[2] == 4, "an infinite norm");
  }
  {
    // [first_rate]
    const hone::cosine fall{.peak = 0.1, .total = 1000};
    const auto from_zero = hone::warmup(fall, {.steps = 10});  // 0, 0.01, 0.02, …: the first step does nothing
    const auto next = hone::shifted(from_zero, 1);             // 0.01, 0.02, …
    double first = next.rate(0);
    // [/first_rate]
    expect(from_zero.rate(0) == 0, "a warm-up begins at its start");
    expect(first, 0.01, "the rate after it");
  }
  {
    const std::vector<int> empty_mask(4, 0);
    std::vector<float> scores = {2, 3, 2, 4, -2, -1, -3, -2};
    const hone::image_view masks{scores.data(), 1, 2, 4};
    const auto target = hone::classes(empty_mask);
    // [empty_mask]
    const auto skipped = hone::dice_loss(target);  // class 1 has no pixel: no loss, not in the mean
    const auto pushed = hone::dice_loss(target, {.smooth = 1, .absent = hone::absent_classes::counted});
    double without = hone::evaluate(cpu, skipped, masks), with = hone::evaluate(cpu, pushed, masks);
    // [/empty_mask]
    expect(without >= 0 && without < 0.05 && with > without, "an empty mask");
  }
  {
    // [threads]
    hone::cpu two{2}, one{1};  // hone::cpu{} takes every core that the process may use
    const auto objective = hone::cross_entropy(hone::classes(labels));
    bool same = hone::evaluate(two, objective, z) == hone::evaluate(one, objective, z);  // always
    // [/threads]
    expect(same, "threads");
  }
  return failures;
}
