// SPDX-License-Identifier: MIT
// What docs/torch.md begins with.
// [program]
#include <torch/torch.h>
#include <hone/adapt/torch.hpp>
#include <hone/hone.hpp>

#include <cstdio>

int main() {
  const auto x = torch::eye(10).repeat({8, 1});  // 80 samples of 10 classes
  const auto y = torch::arange(10).repeat({8});
  torch::nn::Linear net(10, 10);
  torch::nn::init::zeros_(net->weight), torch::nn::init::zeros_(net->bias);  // the same numbers everywhere
  torch::optim::SGD optimizer(net->parameters(), torch::optim::SGDOptions(10));

  const auto target = hone::smooth(hone::classes(hone::adapt::labels_of(y)), 0.1);
  const auto gradients = hone::adapt::gradients(net);
  hone::adapt::schedule rate(optimizer, hone::warmup_cosine{.peak = 10, .warmup = 5, .total = 50});
  hone::adapt::averaged_module average(net, hone::ema{.decay = 0.9});
  const hone::cpu cpu = hone::adapt::torch_cpu();
  for (int step = 0; step < 50; ++step) {
    optimizer.zero_grad();
    const double loss = hone::adapt::backward(cpu, hone::cross_entropy(target), net->forward(x));
    hone::adapt::step(cpu, optimizer, hone::clip_by_global_norm(1), gradients);  // clips, then optimizer.step()
    average.update(cpu), rate.step();
    if (step % 16 == 0) std::printf("step %d: loss %.2f\n", step, loss);
  }
}
// [/program]
