// SPDX-License-Identifier: MIT
// A trainer of mlpack. refined.cpp is the same trainer with hone.
#include "trainer.hpp"

using namespace trainer;

static void train(options const& o, dataset const& data) {
  using loss = mlpack::NegativeLogLikelihood;
  mlpack::FFN<loss> net(loss(false), mlpack::RandomInitialization(-0.05, 0.05));  // false: the mean over a batch
  net.Add<mlpack::Linear>(128);
  net.Add<mlpack::ReLU>();
  net.Add<mlpack::Linear>(10);
  net.Add<mlpack::LogSoftMax>();
  const auto steps = data.steps(o);
  ens::MomentumSGD optimizer = descent(o, data);
  stopwatch watch;

  watch.start();
  net.Train(data.train.x, data.train.y, optimizer);
  watch.stop(steps);
  watch.report(o, accuracy(net, data.test));
}

int main(int count, char** arguments) { return program("mlpack_baseline", count, arguments, 0.02, train); }
