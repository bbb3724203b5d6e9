// SPDX-License-Identifier: MIT
#include "torch_doctest.hpp"

#include <hone/adapt/torch/averaged_module.hpp>
#include <hone/average/swa.hpp>

#include <support/message.hpp>

#include <unistd.h>
#include <cstdio>
#include <limits>
#include <string>

namespace {

const hone::cpu one{1};

struct normed : torch::nn::Module {
  explicit normed(std::int64_t width = 3) {
    linear = register_module("linear", torch::nn::Linear(2, width));
    norm = register_module("norm", torch::nn::BatchNorm1d(width));
  }
  torch::Tensor forward(torch::Tensor const& x) { return norm(linear(x)); }
  torch::nn::Linear linear{nullptr};
  torch::nn::BatchNorm1d norm{nullptr};
};
std::shared_ptr<normed> made(std::int64_t width = 3) {
  torch::manual_seed(1);
  return std::make_shared<normed>(width);
}
void change(torch::nn::Module& module) {
  const torch::NoGradGuard plain;
  for (auto& p : module.parameters()) p.mul_(0.5).add_(torch::rand_like(p));
}
std::vector<torch::Tensor> copies(torch::nn::Module const& module) {
  std::vector<torch::Tensor> all;
  for (auto const& p : module.parameters()) all.push_back(p.detach().clone());
  for (auto const& b : module.buffers()) all.push_back(b.clone());
  return all;
}
bool equal(std::vector<torch::Tensor> const& a, std::vector<torch::Tensor> const& b) {
  bool same = a.size() == b.size();
  for (std::size_t i = 0; same && i < a.size(); ++i) same = a[i].equal(b[i]);
  return same;
}

/// A file that is removed at the end.
struct own_file {
  std::string path = "/tmp/hone_torch_average." + std::to_string(getpid());
  ~own_file() { std::remove(path.c_str()); }
};

struct one_weight : torch::nn::Module {
  explicit one_weight(torch::Tensor const& value, torch::Tensor const& buffer = {}) {
    w = register_parameter("w", value.clone());
    if (buffer.defined()) mask = register_buffer("mask", buffer);
  }
  torch::Tensor w, mask;
};

}  // namespace

TEST_CASE("torch averaged_module: parameters and running statistics are averaged, counters are the module's") {
  auto net = made();
  hone::adapt::averaged_module average(net, hone::ema{.decay = 0.75});
  auto shadow = copies(*net);
  for (int i = 0; i < 3; ++i) {
    change(*net);
    net->forward(torch::randn({5, 2}));
    average.update(one);
    const auto now = copies(*net);
    for (std::size_t k = 0; k < shadow.size(); ++k)
      shadow[k] = shadow[k].is_floating_point() ? shadow[k] + 0.25 * (now[k] - shadow[k]) : now[k];
  }
  CHECK(average.steps() == 3);
  average.update(one, false);  // a step that was skipped
  CHECK(average.steps() == 3);

  const auto own = copies(*net);
  {
    const hone::adapt::swapped evaluation(one, average);
    const auto seen = copies(*net);
    for (std::size_t k = 0; k < shadow.size(); ++k) CHECK(seen[k].allclose(shadow[k], 1e-6, 1e-7));
    CHECK(net->norm->num_batches_tracked.item<std::int64_t>() == 3);
    CHECK(support::message([&] { average.update(one); }) ==
          "update: the module computes with the averages: end the hone::adapt::swapped first");
    CHECK(support::message([&] { average.save("nowhere"); }).find("save: the module computes") == 0);
    CHECK(support::message([&] { const hone::adapt::swapped again(one, average); }).find("swapped: the module") == 0);
  }
  CHECK(equal(copies(*net), own));

  hone::adapt::swapped evaluation(one, average);
  evaluation.restore();
  evaluation.restore();
  CHECK(equal(copies(*net), own));
}

TEST_CASE("torch averaged_module: copy_only, and buffers with infinities, are copied") {
  auto net = made();
  hone::adapt::averaged_module average(net, hone::ema{.decay = 0.75}, {.copy_only = {"*.running_*"}});
  net->forward(torch::randn({5, 2}));
  average.update(one);
  const auto mean = net->norm->running_mean.clone();
  {
    const hone::adapt::swapped evaluation(one, average);
    CHECK(net->norm->running_mean.equal(mean));
  }
  CHECK(support::message([&] { hone::adapt::averaged_module(net, hone::ema{}, {.copy_only = {"running"}}); }) ==
        "copy_only: \"running\" matches no name");

  const float inf = std::numeric_limits<float>::infinity();
  const auto masked = std::make_shared<one_weight>(torch::ones({1}), torch::tensor({0.0f, -inf}));
  hone::adapt::averaged_module of_masked(masked, hone::ema{.decay = 0.5});
  of_masked.update(one);
  const hone::adapt::swapped evaluation(one, of_masked);
  CHECK(masked->mask.equal(torch::tensor({0.0f, -inf})));
}

TEST_CASE("torch averaged_module: a swap between forward and backward is an error of autograd, not a wrong gradient") {
  const auto net = std::make_shared<one_weight>(torch::full({1}, 7.0f));
  hone::adapt::averaged_module average(net, hone::swa{});
  average.update(one);  // the average is 7
  net->w.detach().fill_(1);
  {
    auto loss = (net->w * net->w).sum();
    const hone::adapt::swapped evaluation(one, average);
    std::string error;
    try {
      loss.backward();  // 14, with the weights of the average
    } catch (c10::Error const& e) {
      error = e.what();
    }
    CHECK(error.find("modified by an inplace operation") != std::string::npos);
    CHECK_FALSE(net->w.grad().defined());
  }
  (net->w * net->w).sum().backward();
  CHECK(net->w.grad().item<float>() == 2);
}

TEST_CASE("torch averaged_module of every floating dtype") {
  for (const auto type : {torch::kFloat, torch::kDouble, torch::kHalf, torch::kBFloat16}) {
    auto net = made();
    net->to(type);
    hone::adapt::averaged_module average(net, hone::ema{.decay = 0.5});
    const auto before = copies(*net);
    change(*net);
    average.update(one);
    const auto own = copies(*net);
    {
      const hone::adapt::swapped evaluation(one, average);
      const auto mean = (0.5 * (before[0].to(torch::kDouble) + own[0].to(torch::kDouble)));
      CHECK(net->linear->weight.to(torch::kDouble).allclose(mean, 4e-3, 1e-4));
      CHECK_FALSE(net->linear->weight.equal(own[0]));
      CHECK(support::message([&] { average.update(one); }).find("update: the module computes") == 0);
    }
    CHECK(equal(copies(*net), own));
  }
  auto mixed = made();
  mixed->linear->to(torch::kHalf);
  CHECK(support::message([&] { hone::adapt::averaged_module{mixed, hone::ema{}}; }) ==
        "averaged_module: norm.weight is Float, those before it are Half: all must have one dtype");
}

TEST_CASE("torch averaged_module notices tensors that changed, and memory that is shared") {
  auto net = made();
  hone::adapt::averaged_module average(net, hone::ema{});
  net->linear->weight.set_data(torch::ones({4, 2}));
  CHECK(support::message([&] { average.update(one); }) ==
        "update: linear.weight is 4 x 2 with strides 2, 1, it had another size or memory format when the average "
        "began");
  net->linear->weight.set_data(torch::ones({2, 3}).t());
  CHECK(support::message([&] { average.update(one); }).find("update: linear.weight is 3 x 2 with strides 1, 3") == 0);
  net->linear->weight.set_data(torch::ones({3, 2}));  // other memory alone is right
  average.update(one);
  net->to(torch::kDouble);
  CHECK(support::message([&] { average.update(one); }) ==
        "update: the module is Double, it had another dtype when the average began");
  CHECK(average.steps() == 1);

  const auto memory = torch::ones({4});
  auto shared = std::make_shared<one_weight>(torch::ones({1}), memory.slice(0, 0, 2));
  shared->register_buffer("more", memory.slice(0, 1, 3));
  CHECK(support::message([&] { hone::adapt::averaged_module{shared, hone::ema{}}; }).find("share memory") !=
        std::string::npos);
}

TEST_CASE("torch averaged_module: saved and loaded, also in another memory format") {
  const own_file file;
  const auto conv = [](bool channels_last) {
    torch::manual_seed(2);
    torch::nn::Conv2d net(torch::nn::Conv2dOptions(3, 4, 2));
    if (channels_last) net->weight.set_data(net->weight.detach().contiguous(torch::MemoryFormat::ChannelsLast));
    return net;
  };
  for (const bool first : {false, true})
    for (const bool second : {false, true}) {
      auto net = conv(first), other = conv(second);
      hone::adapt::averaged_module average(net, hone::ema{.decay = 0.5}), resumed(other, hone::ema{.decay = 0.5});
      change(*net);
      average.update(one);
      average.save(file.path);
      resumed.load(file.path);
      CHECK(resumed.steps() == 1);
      const hone::adapt::swapped a(one, average), b(one, resumed);
      CHECK(net->weight.equal(other->weight));
      CHECK(net->bias.equal(other->bias));
    }
  hone::adapt::averaged_module of_three(made(3), hone::ema{}), of_four(made(4), hone::ema{});
  of_three.save(file.path);
  CHECK(support::message([&] { of_four.load(file.path); }) ==
        "load_file: " + file.path + ": tensor 0 was saved with 6 numbers, that of the state has 8");
  CHECK(of_four.steps() == 0);
}

TEST_CASE("torch averaged_module: copied to another module") {
  auto net = made(), other = made();
  hone::adapt::averaged_module average(net, hone::ema{.decay = 0.5});
  change(*net);
  net->forward(torch::randn({5, 2}));
  average.update(one);
  const auto version = other->linear->weight._version();
  average.copy_to(one, other);
  CHECK(other->linear->weight._version() > version);
  CHECK(other->norm->num_batches_tracked.item<std::int64_t>() == 1);
  const hone::adapt::swapped evaluation(one, average);
  CHECK(equal(copies(*net), copies(*other)));
  auto wider = made(4);
  CHECK(support::message([&] {
          hone::adapt::averaged_module(made(), hone::ema{}).copy_to(one, wider);
        }).find("copy_to: linear.weight is 4 x 2") == 0);
}

TEST_CASE("torch average: tensors of inference mode have no version to change") {
  std::shared_ptr<normed> net;
  {
    const c10::InferenceMode inference;
    net = made();
  }
  hone::adapt::averaged_module average(net, hone::ema{.decay = 0.5});
  average.update(one);
  {
    const hone::adapt::swapped evaluation(one, average);
    CHECK(support::message([&] { average.update(one); }).find("the module computes with the averages") !=
          std::string::npos);
  }
  average.update(one);
  CHECK(average.steps() == 2);
}
