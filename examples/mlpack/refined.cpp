// SPDX-License-Identifier: MIT
// The trainer of baseline.cpp with hone: label smoothing, clipping, a warm-up and a cosine, and an average.
#include "trainer.hpp"

#include <hone/adapt/mlpack.hpp>
#include <hone/hone.hpp>

using namespace trainer;

static void train(options const& o, dataset const& data) {
  const hone::cpu cpu(static_cast<int>(o.threads));
  using loss = hone::adapt::output_layer<hone::adapt::smoothed_classes>;
  mlpack::FFN<loss> net(loss({.epsilon = 0.1}, false, cpu), mlpack::RandomInitialization(-0.05, 0.05));
  net.Add<mlpack::Linear>(128);
  net.Add<mlpack::ReLU>();
  net.Add<mlpack::Linear>(10);
  const auto steps = data.steps(o);
  ens::MomentumSGD optimizer = descent(o, data);
  stopwatch watch;

  net.Reset(data.train.x.n_rows);
  hone::ema_state<double> shadow(hone::adapt::parameters(net));
  hone::adapt::scheduled_rate rate(hone::warmup_cosine{.peak = o.rate, .warmup = steps / 10, .total = steps});
  hone::adapt::on_gradient clip(cpu, hone::clip_by_global_norm(5));
  hone::adapt::on_step average(cpu, hone::ema{.decay = 0.998, .ramp = hone::threshold_ramp()}, shadow);
  watch.start();
  net.Train(data.train.x, data.train.y, optimizer, rate, clip, average);
  watch.stop(steps);
  hone::swap(cpu, shadow, hone::adapt::parameters(net));  // swap again to train on
  watch.report(o, accuracy(net, data.test));
}

int main(int count, char** arguments) { return program("mlpack_refined", count, arguments, 0.05, train); }
