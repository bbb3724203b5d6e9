// SPDX-License-Identifier: MIT
/// What baseline.cpp and refined.cpp share: options, images, the network, and the report.
#pragma once

#include "trainer_program.hpp"

#include <torch/torch.h>

#include <cstdint>
#include <vector>

namespace trainer {

using options = demo::trainer_options;
using demo::stopwatch;

struct images {
  torch::Tensor x, y;  // N x 1 x 28 x 28 of mean 0 and deviation 1; N labels

  std::int64_t size() const { return x.size(0); }
  images at(torch::Tensor const& which) const { return {x.index_select(0, which), y.index_select(0, which)}; }
};
struct dataset {
  images train, test;
};

/// Two convolutions with batch normalisation, and a linear layer.
struct network_impl : torch::nn::Module {
  network_impl();
  torch::Tensor forward(torch::Tensor x);

  torch::nn::Conv2d conv1{nullptr}, conv2{nullptr};
  torch::nn::BatchNorm2d bn1{nullptr}, bn2{nullptr};
  torch::nn::Linear head{nullptr};
};
struct network : torch::nn::ModuleHolder<network_impl> {
  using torch::nn::ModuleHolder<network_impl>::ModuleHolder;
};

/// The numbers of the images of each batch of an epoch, in random order, the last incomplete batch left out.
std::vector<torch::Tensor> batches(options const& o, images const& all);

/// The share of the images that are classified rightly, by the network in evaluation mode.
double accuracy(network& net, images const& all);

/// What main() does: reads the options and the images, and calls train.
int program(const char* name, int count, const char* const* arguments, double rate,
            void (*train)(options const&, dataset const&));

}  // namespace trainer
