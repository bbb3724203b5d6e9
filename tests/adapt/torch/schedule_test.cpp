// SPDX-License-Identifier: MIT
#include "torch_doctest.hpp"

#include <hone/adapt/torch/group_by_decay.hpp>
#include <hone/adapt/torch/schedule.hpp>
#include <hone/schedule/warmup_cosine.hpp>

#include <support/message.hpp>

#include <torch/version.h>

namespace {

constexpr hone::warmup_cosine policy{.start = 0.01, .peak = 0.2, .floor = 0.02, .warmup = 4, .total = 12};

double rate_of(torch::optim::Optimizer const& optimizer, std::size_t group = 0) {
  return optimizer.param_groups()[group].options().get_lr();
}
template <class Optimizer, class Options>
void follows(Options const& options) {
  Optimizer optimizer({torch::zeros({2}, torch::requires_grad())}, options);
  hone::adapt::schedule rate(optimizer, policy);
  for (int step = 0; step < 15; ++step, rate.step()) {
    CHECK(rate_of(optimizer) == policy.rate(step));
    CHECK(rate.steps() == step);
    CHECK(rate.rate() == policy.rate(step));
  }
  rate.set(4);
  CHECK(rate_of(optimizer) == 0.2);
}

std::vector<torch::optim::OptimizerParamGroup> two_groups(double first, double second) {
  std::vector<torch::optim::OptimizerParamGroup> groups;
  for (const double rate : {first, second})
    groups.emplace_back(std::vector<torch::Tensor>{torch::zeros({2}, torch::requires_grad())},
                        std::make_unique<torch::optim::SGDOptions>(rate));
  return groups;
}

struct normed : torch::nn::Module {
  normed() {
    conv = register_module("conv", torch::nn::Conv2d(1, 2, 3));
    norm = register_module("norm", torch::nn::BatchNorm2d(2));
    head = register_module("head", torch::nn::Linear(4, 3));
  }
  torch::nn::Conv2d conv{nullptr};
  torch::nn::BatchNorm2d norm{nullptr};
  torch::nn::Linear head{nullptr};
};

template <class Options, class Optimizer>
void splits(Optimizer& optimizer, normed const& net, double decay) {
  CHECK(hone::adapt::group_by_decay(optimizer, net) == 4);
  auto const& groups = optimizer.param_groups();
  REQUIRE(groups.size() == 2);
  CHECK(groups[0].params().size() == 2);
  CHECK(groups[0].params()[0].is_same(net.conv->weight));
  CHECK(groups[0].params()[1].is_same(net.head->weight));
  CHECK(groups[1].params().size() == 4);
  CHECK(static_cast<Options const&>(groups[0].options()).weight_decay() == decay);
  CHECK(static_cast<Options const&>(groups[1].options()).weight_decay() == 0);
  CHECK(rate_of(optimizer, 1) == rate_of(optimizer, 0));
}

}  // namespace

TEST_CASE("torch schedule sets the rate of every optimiser, exactly the policy's") {
  using namespace torch::optim;
  follows<SGD>(SGDOptions(0.3));
  follows<Adam>(AdamOptions(0.3));
  follows<AdamW>(AdamWOptions(0.3));
  follows<RMSprop>(RMSpropOptions(0.3));
  follows<Adagrad>(AdagradOptions(0.3));
  follows<LBFGS>(LBFGSOptions(0.3));
}

TEST_CASE("torch schedule: groups keep their ratio to the first, or have factors") {
  torch::optim::SGD optimizer(two_groups(0.5, 0.125), torch::optim::SGDOptions(0.5));
  hone::adapt::schedule rate(optimizer, policy);
  rate.set(4);
  CHECK(rate_of(optimizer, 0) == 0.2);
  CHECK(rate_of(optimizer, 1) == 0.25 * 0.2);
  hone::adapt::schedule other(optimizer, policy, {2, 0});
  other.set(4);
  CHECK(rate_of(optimizer, 0) == 0.4);
  CHECK(rate_of(optimizer, 1) == 0);

  torch::optim::SGD still(two_groups(0.0, 0.1), torch::optim::SGDOptions(0.5));
  for (auto& group : still.param_groups()) group.options().set_lr(0);
  CHECK(support::message([&] { hone::adapt::schedule(still, policy); }) ==
        "schedule: the first of 2 groups has a rate of 0, so that the others have no ratio to it: give factors");
  CHECK(support::message([&] { hone::adapt::schedule(still, policy, {1}); }) ==
        "schedule: 1 factors for 2 parameter groups");
  CHECK(support::message([&] { hone::adapt::schedule(optimizer, hone::warmup_cosine{.peak = 1, .total = 0}); }) ==
        "warmup_cosine: total is 0, must be at least 1");
  CHECK(support::message([&] { rate.set(-1); }) == "warmup_cosine: step is -1, must be at least 0");
  CHECK(rate.steps() == 4);
}

TEST_CASE("torch group_by_decay: biases and norms do not decay, with every optimiser") {
  using namespace torch::optim;
  const normed net;
  SGD sgd(net.parameters(), SGDOptions(0.1).momentum(0.9).weight_decay(0.05));
  splits<SGDOptions>(sgd, net, 0.05);
  CHECK(static_cast<SGDOptions const&>(sgd.param_groups()[1].options()).momentum() == 0.9);
  Adam adam(net.parameters(), AdamOptions(0.1).weight_decay(0.05));
  splits<AdamOptions>(adam, net, 0.05);
  AdamW adamw(net.parameters(), AdamWOptions(0.1).weight_decay(0.01));
  splits<AdamWOptions>(adamw, net, 0.01);
  RMSprop rmsprop(net.parameters(), RMSpropOptions(0.1).weight_decay(0.05));
  splits<RMSpropOptions>(rmsprop, net, 0.05);
  Adagrad adagrad(net.parameters(), AdagradOptions(0.1).weight_decay(0.05));
  splits<AdagradOptions>(adagrad, net, 0.05);

  const auto before = net.norm->weight.detach().clone(), kernel = net.conv->weight.detach().clone();
  for (auto const& p : net.parameters()) p.mutable_grad() = torch::zeros_like(p);
  sgd.step();
  CHECK(net.norm->weight.equal(before));
  CHECK(net.conv->weight.allclose(kernel * 0.995));

  LBFGS lbfgs(net.parameters(), LBFGSOptions(0.1));
  CHECK(support::message([&] { hone::adapt::group_by_decay(lbfgs, net); }) ==
        "group_by_decay: the optimizer is none of SGD, Adam, AdamW, RMSprop and Adagrad");
  CHECK(lbfgs.param_groups().size() == 1);
}

TEST_CASE("torch group_by_decay: rules, several groups, and parameters of other modules") {
  const normed net;
  std::vector<torch::optim::OptimizerParamGroup> groups;
  groups.emplace_back(net.conv->parameters());
  groups.emplace_back(net.head->parameters(), std::make_unique<torch::optim::SGDOptions>(0.5));
  const auto foreign = torch::zeros({2}, torch::requires_grad());
  groups.emplace_back(std::vector<torch::Tensor>{foreign});
  torch::optim::SGD optimizer(groups, torch::optim::SGDOptions(0.1).weight_decay(0.05));
  const hone::decay_rule rules[] = {{"head.*", false}};
  CHECK(hone::adapt::group_by_decay(optimizer, net, rules) == 3);
  auto const& split = optimizer.param_groups();
  REQUIRE(split.size() == 4);  // conv's weight, foreign; conv's bias, head
  CHECK(split[0].params()[0].is_same(net.conv->weight));
  CHECK(split[1].params()[0].is_same(foreign));
  CHECK(split[2].params()[0].is_same(net.conv->bias));
  CHECK(split[3].params().size() == 2);
  CHECK(rate_of(optimizer, 3) == 0.5);
  const hone::decay_rule wrong[] = {{"body.*", false}};
  CHECK(support::message([&] { hone::adapt::group_by_decay(optimizer, net, wrong); }) ==
        "group_by_decay: rule 0, \"body.*\", matches no parameter");
}

TEST_CASE("torch group_by_decay: what becomes of groups by hand") {
  using torch::optim::SGDOptions;
  std::vector<torch::optim::OptimizerParamGroup> groups;
  groups.emplace_back(std::vector<torch::Tensor>{torch::zeros({2}, torch::requires_grad())},
                      std::make_unique<SGDOptions>(SGDOptions(0.1).weight_decay(0)));
  torch::optim::SGD optimizer(groups, SGDOptions(0.1).weight_decay(0.05));
  const double decay = static_cast<SGDOptions const&>(optimizer.param_groups()[0].options()).weight_decay();
#if TORCH_VERSION_MAJOR < 2
  CHECK(decay == 0);
#elif TORCH_VERSION_MAJOR == 2 && TORCH_VERSION_MINOR == 15
  CHECK(decay == 0.05);
#endif
  CHECK(decay >= 0);
}
