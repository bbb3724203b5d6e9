// SPDX-License-Identifier: MIT
// [first_program]
#include <hone/hone.hpp>

#include <cstdio>
#include <vector>

int main() {
  const hone::index rows = 2, classes = 3;
  const std::vector<float> logits = {2, 0, -1, 0.5f, 1, 3};  // row by row, as the network returned them
  const std::vector<int> labels = {0, 2};
  std::vector<float> gradient(logits.size());

  const auto objective = hone::cross_entropy(hone::smooth(hone::classes(labels), 0.1f));
  const double loss = hone::evaluate(hone::cpu(), objective, hone::matrix_view{logits.data(), rows, classes},
                                     {.gradient = {gradient.data(), rows, classes}});
  std::printf("loss %.4f\n", loss);
  for (float g : gradient) std::printf("%8.4f", static_cast<double>(g));
  std::puts("");
}
// [/first_program]
