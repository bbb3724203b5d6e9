// SPDX-License-Identifier: MIT
// The trainer of baseline.cpp with hone: mixup, label smoothing, clipping, a warm-up and a cosine, and an average.
#include "trainer.hpp"

#include <hone/adapt/torch.hpp>
#include <hone/hone.hpp>

using namespace trainer;

static void train(options const& o, dataset const& data) {
  network net;
  torch::optim::SGD optimizer(net->parameters(), torch::optim::SGDOptions(o.rate).momentum(0.9).weight_decay(5e-4));
  stopwatch watch;
  const hone::cpu cpu = hone::adapt::torch_cpu();
  const auto steps = o.epochs * (data.train.size() / o.batch);
  hone::adapt::schedule rate(optimizer, hone::warmup_cosine{.peak = o.rate, .warmup = steps / 10, .total = steps});
  hone::adapt::averaged_module average(net, hone::ema{.decay = 0.998, .ramp = hone::threshold_ramp()});
  const auto gradients = hone::adapt::gradients(net);

  for (std::int64_t epoch = 0; epoch < o.epochs; ++epoch) {
    for (auto const& which : batches(o, data.train)) {
      watch.start();
      const auto [x, y] = data.train.at(which);
      optimizer.zero_grad();
      const auto draw = hone::mixup{.alpha = 0.1}.draw(o.seed, rate.steps(), x.size(0));
      auto logits = net->forward(hone::adapt::blend(cpu, draw, x));
      const auto labels = hone::adapt::labels_of(y);
      const auto mixed = hone::mix(hone::classes(labels), hone::partner_classes(labels, draw.partner), draw.lambda);
      hone::adapt::backward(cpu, hone::cross_entropy(hone::smooth(mixed, 0.1)), logits);
      hone::adapt::step(cpu, optimizer, hone::clip_by_global_norm(5), gradients);
      average.update(cpu), rate.step();
      watch.stop();
    }
  }
  const hone::adapt::swapped evaluation(cpu, average);
  watch.report(o, accuracy(net, data.test));
}

int main(int count, char** arguments) { return program("libtorch_refined", count, arguments, 0.05, train); }
