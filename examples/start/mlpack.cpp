// SPDX-License-Identifier: MIT
// What docs/mlpack.md begins with.
// [program]
#include <hone/adapt/mlpack.hpp>
#include <hone/hone.hpp>
#include <mlpack/core.hpp>
#include <mlpack/methods/ann/ann.hpp>

#include <cstdio>

int main() {
  const arma::mat x = arma::repmat(arma::eye(10, 10), 1, 8);  // 80 samples of 10 classes, a sample a column
  const arma::mat labels = arma::repmat(arma::regspace(0, 9).t(), 1, 8);
  using loss = hone::adapt::output_layer<hone::adapt::smoothed_classes>;
  mlpack::FFN<loss, mlpack::ConstInitialization> net(loss({.epsilon = 0.1}, false), mlpack::ConstInitialization(0));
  net.Add<mlpack::Linear>(10);
  net.Reset(10);

  ens::StandardSGD sgd(10, 80, 50 * 80, 0);  // 50 steps of 80 samples
  const hone::cpu cpu;
  hone::ema_state<double> shadow(hone::adapt::parameters(net));
  net.Train(x, labels, sgd, hone::adapt::on_gradient(cpu, hone::clip_by_global_norm(1)),
            hone::adapt::scheduled_rate(hone::warmup_cosine{.peak = 10, .warmup = 5, .total = 50}),
            hone::adapt::on_step(cpu, hone::ema{.decay = 0.9}, shadow));
  std::printf("loss after 50 steps: %.2f\n", net.Evaluate(x, labels));
}
// [/program]
