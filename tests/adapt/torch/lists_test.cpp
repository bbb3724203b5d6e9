// SPDX-License-Identifier: MIT
#include "torch_doctest.hpp"

#include <hone/adapt/torch/module_tensors.hpp>
#include <hone/adapt/torch/transform.hpp>
#include <hone/gradient/clip_by_norm.hpp>
#include <hone/gradient/clip_by_value.hpp>

#include <support/message.hpp>

#include <cmath>
#include <limits>

namespace {

const hone::cpu one{1};

torch::nn::Sequential small_network() {
  return torch::nn::Sequential(torch::nn::Conv2d(torch::nn::Conv2dOptions(3, 8, 3)), torch::nn::BatchNorm2d(8),
                               torch::nn::Flatten(), torch::nn::Linear(8 * 16, 5));
}
void backward(torch::nn::Sequential& net, torch::Dtype type = torch::kFloat) {
  net->forward(torch::randn({4, 3, 6, 6}, type)).pow(2).sum().backward();
}
double norm_of(std::vector<torch::Tensor> const& tensors) {
  double squares = 0;
  for (auto const& t : tensors)
    if (t.grad().defined()) squares += t.grad().to(torch::kDouble).pow(2).sum().item<double>();
  return std::sqrt(squares);
}

/// Two parameters and how they share memory.
struct pair_of : torch::nn::Module {
  pair_of(torch::Tensor const& first, torch::Tensor const& second) {
    a = register_parameter("a", first);
    b = register_parameter("b", second);
  }
  torch::Tensor a, b;
};

}  // namespace

TEST_CASE("torch parameters: rows are the first dimension, columns all others") {
  auto net = small_network();
  const auto parameters = hone::adapt::parameters(net);
  REQUIRE(parameters.size() == 6);
  CHECK(parameters.name(0) == "0.weight");
  CHECK(parameters.name(5) == "3.bias");
  auto const& list = parameters.as<float>();
  REQUIRE(list.size() == 6);
  CHECK(list[0].rows == 8);
  CHECK(list[0].columns == 27);
  CHECK(list[1].rows == 1);
  CHECK(list[1].columns == 8);
  CHECK(list[4].rows == 5);
  CHECK(list[4].columns == 128);
  CHECK(list[4].data == net->parameters()[4].data_ptr<float>());
  CHECK(parameters.matching({"3.*"}) == std::vector<std::size_t>{4, 5});
  CHECK(support::message([&] { parameters.matching({"head.*"}); }) == "matching: \"head.*\" matches no name");
  CHECK(hone::adapt::parameters(net->parameters()).as<float>().size() == 6);
  CHECK(hone::adapt::parameters(std::vector<torch::Tensor>()).as<double>().size() == 0);
}

TEST_CASE("torch parameters: a module, a holder, a shared_ptr") {
  const torch::nn::Linear holder(3, 2);
  const std::shared_ptr<torch::nn::LinearImpl> pointer = holder.ptr();
  CHECK(hone::adapt::parameters(holder).size() == 2);
  CHECK(hone::adapt::parameters(pointer).size() == 2);
  CHECK(hone::adapt::parameters(*pointer).size() == 2);
}

TEST_CASE("torch gradients are read again at each use: missing, made, replaced, gone") {
  auto net = small_network();
  const auto gradients = hone::adapt::gradients(net);
  CHECK(hone::transform(one, hone::clip_by_global_norm(1), gradients).norm == 0);  // there are none
  backward(net);
  const double norm = norm_of(net->parameters());
  CHECK(hone::measure(one, hone::clip_by_global_norm(1), gradients).norm == doctest::Approx(norm).epsilon(1e-6));
  auto const* const list = gradients.as<float>().begin();
  CHECK(gradients.as<float>().begin() == list);  // nothing changed: nothing was allocated

  net->parameters()[4].mutable_grad() = torch::full({5, 128}, 2.0f);
  CHECK(gradients.as<float>()[4].data == net->parameters()[4].grad().data_ptr<float>());
  const auto report = hone::transform(one, hone::clip_by_global_norm(1), gradients);
  CHECK(report.coefficient == doctest::Approx(1 / report.norm));
  CHECK(norm_of(net->parameters()) == doctest::Approx(1).epsilon(1e-6));

  net->parameters()[0].mutable_grad() = torch::Tensor();
  REQUIRE(gradients.as<float>().size() == 5);
  CHECK(gradients.place(0) == 1);
  for (auto const& p : net->parameters()) p.mutable_grad() = torch::Tensor();  // zero_grad(set_to_none)
  CHECK(gradients.as<float>().size() == 0);
  backward(net);
  CHECK(gradients.as<float>().size() == 6);
}

TEST_CASE("torch gradients of every floating dtype, and clipping is known to autograd") {
  for (const auto type : {torch::kFloat, torch::kDouble, torch::kHalf, torch::kBFloat16}) {
    const auto p = torch::zeros({2, 2}, torch::TensorOptions(type).requires_grad(true));
    p.mutable_grad() = torch::full({2, 2}, 4.0, type);  // norm 8
    const auto version = p.grad()._version();
    const auto report = hone::transform(one, hone::clip_by_global_norm(4), hone::adapt::gradients({p}));
    CHECK(report.norm == 8);
    CHECK(p.grad().eq(2).all().item<bool>());
    CHECK(p.grad()._version() > version);
  }
}

TEST_CASE("torch gradients: a tied weight counts once, shared memory is refused") {
  const auto w = torch::ones({2, 2});
  const auto tied = std::make_shared<pair_of>(w, w);
  tied->a.mutable_grad() = torch::ones({2, 2});
  const auto gradients = hone::adapt::gradients(tied);
  CHECK(gradients.size() == 1);
  CHECK(hone::transform(one, hone::clip_by_global_norm(1), gradients).norm == 2);
  CHECK(hone::adapt::gradients(std::vector<torch::Tensor>{tied->a, tied->a}).size() == 1);

  const auto memory = torch::ones({4});
  const auto apart = std::make_shared<pair_of>(torch::ones({2}), torch::ones({2}));
  apart->a.mutable_grad() = memory.slice(0, 0, 2);
  apart->b.mutable_grad() = memory.slice(0, 1, 3);
  CHECK(support::message([&] { hone::transform(one, hone::clip_by_global_norm(1), hone::adapt::gradients(apart)); }) ==
        "transform: tensors 0 and 1 of gradients share memory: list tied weights once");
}

TEST_CASE("torch gradients that cannot be viewed are refused by name, and nothing is written") {
  torch::nn::Linear net(3, 2);
  net->forward(torch::ones({1, 3})).sum().backward();
  const auto gradients = hone::adapt::gradients(net);
  const auto clip = hone::clip_by_global_norm(1e-3);
  const auto bias = net->bias.grad().clone();
  const auto message = [&] { return support::message([&] { hone::transform(one, clip, gradients); }); };

  net->weight.mutable_grad() = torch::ones({3, 2}).t();
  CHECK(message() ==
        "gradients: the gradient of weight is 2 x 3 with strides 1, 2, its rows must lie one after another: make it "
        "contiguous");
  net->weight.mutable_grad() = torch::ones({2, 1}).expand({2, 3});
  CHECK(message() ==
        "gradients: the gradient of weight is 2 x 3 with strides 1, 0, its rows must lie one after another: make it "
        "contiguous");
  net->weight.mutable_grad() = torch::ones({2, 3}).to_sparse();
  CHECK(message().find("gradients: the gradient of weight must be dense") == 0);
  CHECK(net->bias.grad().equal(bias));
  net->weight.mutable_grad() = torch::ones({2, 3});
  CHECK(message().empty());
  CHECK_FALSE(net->bias.grad().equal(bias));
}

TEST_CASE("torch lists of one dtype") {
  torch::nn::Sequential net(torch::nn::Linear(3, 2), torch::nn::BatchNorm1d(2));
  net[0]->to(torch::kHalf);
  const auto parameters = hone::adapt::parameters(net);
  CHECK(support::message([&] { parameters.as<float>(); }) ==
        "parameters: 1.weight is Float, those before it are Half: all must have one dtype");
  net->to(torch::kDouble);
  CHECK(support::message([&] { parameters.as<float>(); }) ==
        "parameters: the numbers of 0.weight are Double, must be Float");
  CHECK(parameters.as<double>().size() == 4);
  net->to(torch::kComplexFloat);
  CHECK(support::message([&] { parameters.as<double>(); }) ==
        "parameters: 0.weight is ComplexFloat, must be Float, Double, Half or BFloat16");
  CHECK(support::message([] { hone::adapt::parameters({torch::ones({1}), torch::Tensor()}); }) ==
        "parameters: tensor 1 is an undefined tensor");
}

TEST_CASE("torch gradients of two dtypes, clipped together as lists of hone") {
  const auto a = torch::zeros({1}, torch::requires_grad()),
             b = torch::zeros({1}, torch::TensorOptions(torch::kHalf).requires_grad(true));
  a.mutable_grad() = torch::full({1}, 3.0f);
  b.mutable_grad() = torch::full({1}, 4.0, torch::kHalf);
  const auto of_float = hone::adapt::gradients({a}), of_half = hone::adapt::gradients({b});
  CHECK(hone::transform(one, hone::clip_by_global_norm(2.5), of_float.as<float>(), of_half.as<Eigen::half>()).norm ==
        5);
  CHECK(a.grad().item<float>() == 1.5f);
  CHECK(b.grad().item<float>() == 2);
}

TEST_CASE("torch adaptive_clip: units are output channels, whatever is missing, excluded or channels_last") {
  for (const bool channels_last : {false, true}) {
    auto net = small_network();
    if (channels_last)
      net[0]->as<torch::nn::Conv2d>()->weight.set_data(
          net[0]->as<torch::nn::Conv2d>()->weight.detach().contiguous(torch::MemoryFormat::ChannelsLast));
    backward(net);
    if (channels_last) CHECK_FALSE(net->parameters()[0].is_contiguous());
    net->parameters()[1].mutable_grad() = torch::Tensor();
    std::vector<torch::Tensor> expected;
    for (auto const& p : net->parameters()) {
      if (!p.grad().defined()) continue;
      const auto w = p.detach().flatten(1 < p.dim() ? 1 : 0), g = p.grad().flatten(1 < p.dim() ? 1 : 0);
      const auto limit = 0.01 * w.norm(2, {-1}, true).clamp_min(1e-3), norm = g.norm(2, {-1}, true);
      expected.push_back((g * torch::where(norm > limit, limit / norm, torch::ones_like(norm))).view_as(p.grad()));
    }
    expected[3] = net->parameters()[4].grad().clone();  // the last two are excluded
    expected[4] = net->parameters()[5].grad().clone();

    const auto parameters = hone::adapt::parameters(net);
    const auto gradients = hone::adapt::gradients(net);
    hone::transform(one, hone::adaptive_clip(parameters, {.excluded = parameters.matching({"3.*"})}), gradients);
    std::vector<torch::Tensor> clipped;
    for (auto const& p : net->parameters()) clipped.push_back(p.grad().defined() ? p.grad().clone() : torch::Tensor());
    const auto by_columns = hone::adaptive_clip(parameters, {.units = hone::agc_units::columns});
    CHECK(support::message([&] { hone::transform(one, by_columns, hone::adapt::gradients(net)); }) ==
          (channels_last ? "transform: 0.weight is not contiguous, must be for units that are columns" : ""));
    std::size_t i = 0;
    for (auto const& g : clipped)
      if (g.defined()) CHECK(g.allclose(expected[i++], 1e-5, 1e-7));
    CHECK(i == 5);
  }
  torch::nn::Linear a(2, 2), b(2, 2);
  for (auto const& p : b->parameters()) p.mutable_grad() = torch::ones_like(p);
  const auto of_a = hone::adapt::parameters(a);
  const auto gradients = hone::adapt::gradients(b);
  CHECK(support::message([&] { hone::transform(one, hone::adaptive_clip(of_a), gradients); }) ==
        "transform: parameter 0 of adaptive_clip is weight, that of the gradients is weight, another tensor");
  CHECK(support::message([&] { hone::adaptive_clip(of_a, {.excluded = {2}}); }) ==
        "adaptive_clip: excluded names tensor 2 of 2");
}

TEST_CASE("torch step: unscales, clips, and skips what is not finite") {
  torch::nn::Linear net(2, 1);
  torch::optim::SGD optimizer(net->parameters(), torch::optim::SGDOptions(1));
  const auto gradients = hone::adapt::gradients(net);
  hone::loss_scaler scaler{.initial = 1024};
  const auto set = [&](float g) {
    for (auto const& p : net->parameters()) p.mutable_grad() = torch::full_like(p, g);
  };
  const auto before = net->weight.detach().clone();

  set(std::numeric_limits<float>::infinity());
  auto report = hone::adapt::step(one, optimizer, scaler, hone::clip_by_global_norm(1), gradients);
  CHECK_FALSE(report.finite);
  CHECK(net->weight.equal(before));
  CHECK(scaler.scale() == 512);

  set(512 * 0.25f);
  report = hone::adapt::step(one, optimizer, scaler, gradients);
  CHECK(report.finite);
  CHECK(report.norm == doctest::Approx(0.25 * std::sqrt(3.0)));
  CHECK(net->weight.equal(before - 0.25f));

  set(2);
  report = hone::adapt::step(one, optimizer, hone::clip_by_value(1), gradients);
  CHECK(net->weight.equal(before - 1.25f));
}
