// SPDX-License-Identifier: MIT
#include <hone/hone.hpp>
#include <hone/version.hpp>

#include <cstdio>
#include <vector>

int main() {
  const std::vector<float> logits{1, 2, 3, 4, 5, 6};
  const std::vector<int> labels{2, 0};
  hone::cpu cpu;
  const double loss =
      hone::evaluate(cpu, hone::cross_entropy(hone::classes(labels)), hone::matrix_view{logits.data(), 2, 3});
  std::printf("hone %s: loss %.6f\n", hone::version, loss);
  return loss > 1.4076 && loss < 1.4077 ? 0 : 1;  // the mean of 0.407606 and 2.407606
}
