// SPDX-License-Identifier: MIT
// The example of README.md: what a trainer calls in place of its own loss.
#include <hone/hone.hpp>

#include <cmath>
#include <vector>

int main() {
  const int rows = 2, classes = 3;
  std::vector<float> logits = {2, 0, -1, 0.5f, 1, 0}, teacher = {3, 0, -2, 0, 2, 0}, gradient(6);
  std::vector<int> labels = {0, 1};
  // [first_loss]
  hone::cpu cpu;
  auto target = hone::smooth(hone::classes(labels, {.ignore = -100}), 0.1f);
  auto objective = 0.7f * hone::cross_entropy(target) +
                   0.3f * hone::distillation(hone::matrix_view{teacher.data(), rows, classes}, 4.0f);
  double loss = hone::evaluate(cpu, objective, hone::matrix_view{logits.data(), rows, classes},
                               {.gradient = {gradient.data(), rows, classes}});
  // [/first_loss]
  // [schedule]
  const hone::warmup_cosine schedule{.start = 0, .peak = 0.1, .floor = 0, .warmup = 100, .total = 1000};
  double rate = schedule.rate(50);
  // [/schedule]
  return std::isfinite(loss) && loss > 0 && gradient[0] < 0 && std::abs(rate - 0.05) < 1e-12 ? 0 : 1;
}
