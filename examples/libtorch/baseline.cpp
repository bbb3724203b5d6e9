// SPDX-License-Identifier: MIT
// A trainer of LibTorch. refined.cpp is the same trainer with hone.
#include "trainer.hpp"

using namespace trainer;

static void train(options const& o, dataset const& data) {
  network net;
  torch::optim::SGD optimizer(net->parameters(), torch::optim::SGDOptions(o.rate).momentum(0.9).weight_decay(5e-4));
  stopwatch watch;

  for (std::int64_t epoch = 0; epoch < o.epochs; ++epoch) {
    for (auto const& which : batches(o, data.train)) {
      watch.start();
      const auto [x, y] = data.train.at(which);
      optimizer.zero_grad();
      auto logits = net->forward(x);
      auto loss = torch::nn::functional::cross_entropy(logits, y);
      loss.backward();
      optimizer.step();
      watch.stop();
    }
  }
  watch.report(o, accuracy(net, data.test));
}

int main(int count, char** arguments) { return program("libtorch_baseline", count, arguments, 0.01, train); }
