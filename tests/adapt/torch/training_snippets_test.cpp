// SPDX-License-Identifier: MIT
// What docs/torch.md shows of training; training_page.py counts its lines.
#include "torch_doctest.hpp"

#include <hone/adapt/torch.hpp>
#include <hone/hone.hpp>

#include <unistd.h>
#include <cstdio>
#include <string>

namespace {

torch::nn::Sequential network() {
  return torch::nn::Sequential(torch::nn::Conv2d(torch::nn::Conv2dOptions(1, 4, 3)), torch::nn::BatchNorm2d(4),
                               torch::nn::Flatten(), torch::nn::Linear(4 * 36, 3));
}
const auto images = torch::randn({8, 1, 8, 8});
const auto labels = torch::arange(8) % 3;
const hone::cpu cpu = hone::adapt::torch_cpu();
double test(torch::nn::Sequential& net) { return net->forward(images).sum().item<double>(); }

}  // namespace

TEST_CASE("torch snippets: clip, schedule, average") {
  auto net = network();
  const std::string path = "/tmp/hone_torch_snippet." + std::to_string(getpid());
  // [setup]
  torch::optim::SGD optimizer(net->parameters(), torch::optim::SGDOptions(0.1).momentum(0.9).weight_decay(5e-4));
  hone::adapt::group_by_decay(optimizer, net);
  hone::adapt::schedule rate(optimizer, hone::warmup_cosine{.peak = 0.1, .warmup = 100, .total = 1000});
  hone::adapt::averaged_module average(net, hone::ema{.decay = 0.999, .ramp = hone::threshold_ramp()});
  const auto gradients = hone::adapt::gradients(net);
  // [/setup]
  CHECK(optimizer.param_groups().size() == 2);
  for (int i = 0; i < 3; ++i) {
    optimizer.zero_grad();
    torch::nn::functional::cross_entropy(net->forward(images), labels).backward();
    // [step]
    hone::adapt::step(cpu, optimizer, hone::clip_by_global_norm(5), gradients);
    average.update(cpu), rate.step();
    // [/step]
  }
  CHECK(rate.steps() == 3);
  CHECK(average.steps() == 3);
  net->eval();
  const double own = test(net);
  // [swapped]
  hone::adapt::swapped evaluation(cpu, average);
  double accuracy = test(net);  // with the averages
  evaluation.restore();         // or by the end of the scope
  // [/swapped]
  CHECK(accuracy != own);
  CHECK(test(net) == own);
  // [save]
  average.save(path);

  hone::adapt::averaged_module resumed(net, hone::ema{.decay = 0.999, .ramp = hone::threshold_ramp()});
  resumed.load(path), rate.set(resumed.steps());
  // [/save]
  std::remove(path.c_str());
  CHECK(resumed.steps() == 3);
}

TEST_CASE("torch snippets: lists, scaler") {
  auto net = network();
  torch::optim::SGD optimizer(net->parameters(), torch::optim::SGDOptions(0.1));
  const auto loss_of = [&] { return torch::nn::functional::cross_entropy(net->forward(images), labels); };
  loss_of().backward();
  // [lists]
  const auto parameters = hone::adapt::parameters(net);
  const auto gradients = hone::adapt::gradients(net);
  const auto report = hone::transform(cpu, hone::clip_by_global_norm(5), gradients);
  hone::transform(cpu, hone::adaptive_clip(parameters, {.excluded = parameters.matching({"3.*"})}), gradients);
  // [/lists]
  CHECK(report.finite);
  const auto loss = loss_of();
  // [scaler]
  hone::loss_scaler scaler;  // once
  (loss * scaler.scale()).backward();
  hone::adapt::step(cpu, optimizer, scaler, hone::clip_by_global_norm(5), gradients);
  // [/scaler]
  CHECK(scaler.state.finite == 1);
}

TEST_CASE("torch snippets: mixing") {
  auto net = network();
  const hone::index seed = 1, step = 0;
  // [blend]
  const auto draw = hone::mixup{.alpha = 0.2}.draw(seed, step, images.size(0));
  const auto logits = net->forward(hone::adapt::blend(cpu, draw, images));
  const auto y = hone::adapt::labels_of(labels);
  const auto target = hone::mix(hone::classes(y), hone::partner_classes(y, draw.partner), draw.lambda);
  double loss = hone::adapt::backward(hone::cross_entropy(hone::smooth(target, 0.1)), logits);
  // [/blend]
  auto mixed = torch::zeros({8, 3});
  for (std::int64_t i = 0; i < 8; ++i) {
    const auto k = static_cast<std::size_t>(i);
    mixed[i][labels[i].item<std::int64_t>()] += draw.lambda[k];
    mixed[i][labels[draw.partner[k]].item<std::int64_t>()] += 1 - draw.lambda[k];
  }
  const auto expected = -((mixed * 0.9 + 0.1 / 3) * torch::log_softmax(logits, 1)).sum(1).mean();
  CHECK(loss == doctest::Approx(expected.item<double>()).epsilon(1e-5));
  CHECK(net->parameters()[0].grad().defined());
}
