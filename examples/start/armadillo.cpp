// SPDX-License-Identifier: MIT
// What docs/matrices.md begins the section of Armadillo with.
// [program]
#include <hone/adapt/armadillo.hpp>
#include <hone/hone.hpp>

#include <cstdio>

int main() {
  const arma::fmat x = arma::repmat(arma::eye<arma::fmat>(10, 10), 1, 8);  // 80 samples, a column each
  const arma::Row<int> labels = arma::repmat(arma::regspace<arma::Row<int>>(0, 9), 1, 8);
  arma::fmat w(10, 10, arma::fill::zeros), gradient(10, 80);

  const auto objective = hone::cross_entropy(hone::smooth(hone::classes(hone::adapt::labels_of(labels)), 0.1));
  const hone::cpu cpu;
  for (int step = 0; step < 50; ++step) {
    const arma::fmat logits = w * x;
    const double loss = hone::evaluate(cpu, objective, hone::adapt::columns_of(logits),
                                       {.gradient = hone::adapt::columns_of(gradient)});
    arma::fmat dw = gradient * x.t();
    hone::transform(cpu, hone::clip_by_global_norm(1), hone::adapt::tensors_of(dw));
    w -= 10 * dw;
    if (step % 16 == 0) std::printf("step %d: loss %.2f\n", step, loss);
  }
}
// [/program]
