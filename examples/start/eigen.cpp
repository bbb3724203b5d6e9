// SPDX-License-Identifier: MIT
// What docs/matrices.md begins the section of Eigen with.
// [program]
#include <hone/adapt/eigen.hpp>
#include <hone/hone.hpp>

#include <cstdio>

int main() {
  const Eigen::MatrixXf x = Eigen::MatrixXf::Identity(10, 10).replicate(8, 1);  // 80 samples of 10 classes
  const Eigen::VectorXi labels = Eigen::VectorXi::LinSpaced(10, 0, 9).replicate(8, 1);
  Eigen::MatrixXf w = Eigen::MatrixXf::Zero(10, 10), dw(10, 10), gradient(80, 10);

  const auto objective = hone::cross_entropy(hone::smooth(hone::classes(labels), 0.1));
  const hone::cpu cpu;
  for (int step = 0; step < 50; ++step) {
    const Eigen::MatrixXf logits = x * w;
    const double loss =
        hone::evaluate(cpu, objective, hone::adapt::rows_of(logits), {.gradient = hone::adapt::rows_of(gradient)});
    dw = x.transpose() * gradient;
    hone::transform(cpu, hone::clip_by_global_norm(1), hone::adapt::tensors_of(dw));
    w -= 10 * dw;
    if (step % 16 == 0) std::printf("step %d: loss %.2f\n", step, loss);
  }
}
// [/program]
