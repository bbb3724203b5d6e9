// SPDX-License-Identifier: MIT
#include "trainer.hpp"

#include <algorithm>

namespace trainer {

namespace {

images tensors_of(demo::image_set const& set) {
  const auto n = static_cast<std::int64_t>(set.size());
  auto y = torch::empty({n}, torch::kLong);
  std::copy(set.labels.begin(), set.labels.end(), y.data_ptr<std::int64_t>());
  auto bytes = set.pixels;
  const auto pixels = torch::from_blob(bytes.data(), {n, 1, 28, 28}, torch::kByte);
  return {pixels.to(torch::kFloat).div_(255).sub_(0.2860).div_(0.3530), y};  // mean, deviation of the training images
}

}  // namespace

network_impl::network_impl() {
  using namespace torch::nn;
  conv1 = register_module("conv1", Conv2d(Conv2dOptions(1, 16, 3).padding(1).bias(false)));
  bn1 = register_module("bn1", BatchNorm2d(16));
  conv2 = register_module("conv2", Conv2d(Conv2dOptions(16, 32, 3).padding(1).bias(false)));
  bn2 = register_module("bn2", BatchNorm2d(32));
  head = register_module("head", Linear(32 * 7 * 7, 10));
}
torch::Tensor network_impl::forward(torch::Tensor x) {
  x = torch::max_pool2d(torch::relu(bn1(conv1(x))), 2);
  x = torch::max_pool2d(torch::relu(bn2(conv2(x))), 2);
  return head(x.flatten(1));
}

std::vector<torch::Tensor> batches(options const& o, images const& all) {
  const auto order = torch::randperm(all.size(), torch::kLong);
  std::vector<torch::Tensor> list;
  for (std::int64_t i = 0; i + o.batch <= all.size() && !(o.quick && list.size() == 20); i += o.batch)
    list.push_back(order.slice(0, i, i + o.batch));
  return list;
}

double accuracy(network& net, images const& all) {
  const torch::NoGradGuard no_gradients;
  net->eval();
  std::int64_t right = 0;
  for (std::int64_t i = 0; i < all.size(); i += 1000) {
    const auto guess = net->forward(all.x.slice(0, i, i + 1000)).argmax(1);
    right += guess.eq(all.y.slice(0, i, i + 1000)).sum().item<std::int64_t>();
  }
  net->train();
  return static_cast<double>(right) / static_cast<double>(all.size());
}

int program(const char* name, int count, const char* const* arguments, double rate,
            void (*train)(options const&, dataset const&)) {
  return demo::trainer_program(name, count, arguments, {.rate = rate},
                               [&](options const& o, demo::dataset const& data) {
                                 torch::set_num_threads(static_cast<int>(o.threads));
                                 torch::manual_seed(static_cast<std::uint64_t>(o.seed));
                                 train(o, {tensors_of(data.train), tensors_of(data.test)});
                               });
}

}  // namespace trainer
