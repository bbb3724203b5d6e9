// SPDX-License-Identifier: MIT
#include "differences.hpp"
#include "networks.hpp"
#include "residual_network.hpp"

#include <doctest/doctest.h>

#include <algorithm>

using demo::matrix;
using ladder::make_network, ladder::network_named;
using ladder::pass, ladder::residual_network, ladder::structure;
using test::made_up;

namespace {

constexpr hone::index dropping = 1;  // a step in which the last of four blocks drops one of the samples

/// Four parameters of every tensor.
void check_gradient(const structure& with) {
  CAPTURE(ladder::suffix_of(with));
  const matrix<double> images = made_up(5, 784, 1), weights = made_up(5, 10, 2);
  residual_network<double> net(7, 3, 2, with);
  std::mt19937_64 random(3);
  for (double& p : net.parameters) p += 0.02 * (2 * demo::uniform(random) - 1);  // β other than 0, γ other than 1
  const pass step{.training = true, .step = dropping};
  const auto value = [&] { return (net.forward(images, step).array() * weights.array()).sum(); };
  value();
  net.backward(weights);
  const Eigen::VectorXd gradient = net.gradient;

  const double h = 1e-6;  // small: a ReLU must not turn within it
  for (const demo::named_tensor& t : net.tensors())
    for (int trial = 0; trial < 4; ++trial) {
      const auto at = t.at + static_cast<Eigen::Index>(random() % static_cast<std::uint64_t>(t.size()));
      CAPTURE(t.name);
      CHECK(gradient[at] == doctest::Approx(test::derivative(net.parameters[at], h, value)).epsilon(1e-6).scale(1));
    }
}

}  // namespace

TEST_CASE("the residual network's gradient matches finite differences, with every structure") {
  std::vector<double> factors(5);
  hone::drop_path{.rate = ladder::drop_rate}.draw(7, dropping, 3, std::span(factors));
  REQUIRE(std::ranges::count(factors, 0.0) == 1);
  for (const bool d : {false, true})
    for (const bool se : {false, true})
      for (const bool drop_path : {false, true}) check_gradient({d, se, drop_path});
}

TEST_CASE("networks of all structures begin with the same weights, but for those of squeeze-and-excitation") {
  const auto plain = make_network(network_named("residual+none"), 5),
             all = make_network(network_named("residual+d+se+drop_path"), 5);
  int excitations = 0;
  for (const demo::named_tensor& t : all->tensors()) {
    if (t.name.find(".se.") != std::string::npos) {
      excitations += t.dimensions > 1 ? 1 : 0;
      CHECK(all->parameters().segment(t.at, t.size()).isZero() == (t.dimensions == 1));
      continue;
    }
    const auto other = std::ranges::find(plain->tensors(), t.name, &demo::named_tensor::name);
    REQUIRE(other != plain->tensors().end());
    CHECK(all->parameters().segment(t.at, t.size()) == plain->parameters().segment(other->at, t.size()));
  }
  CHECK(excitations == 4);
  // 2 C r + r + C of 16 and of 32 channels, r = 8
  CHECK(all->parameters().size() - plain->parameters().size() == 2 * 16 * 8 + 8 + 16 + 2 * 32 * 8 + 8 + 32);
}

TEST_CASE("drop path depends on the step and on the seed, and inference has none") {
  const matrix<double> images = made_up(40, 784, 1);
  residual_network<double> net(7, 3, 1, {.drop_path = true}), without(7, 3, 1);
  const auto in_step = [&](hone::index step) -> matrix<double> {
    return net.forward(images, {.training = true, .step = step});
  };
  const matrix<double> first = in_step(0);
  CHECK(in_step(0) == first);
  CHECK(in_step(1) != first);
  without.statistics = net.statistics;
  CHECK(without.forward(images, {}) == net.forward(images, {}));
}

TEST_CASE("squeeze-and-excitation does the same in the sweep of the block and before drop path") {
  const matrix<double> images = made_up(6, 784, 1);
  residual_network<double> fused(7, 3, 1, {.se = true}), apart(7, 3, 1, {.se = true, .drop_path = true});
  const pass step{.training = true};
  const matrix<double> whole = fused.forward(images, step), dropped = apart.forward(images, step);
  std::vector<double> factors(6);
  hone::drop_path{.rate = ladder::drop_rate}.draw(7, 0, 1, std::span(factors));
  REQUIRE(std::ranges::count(factors, 0.0) > 0);
  CHECK_FALSE(whole.isApprox(dropped, 1e-6));
  fused.statistics = apart.statistics;
  CHECK(fused.forward(images, {}).isApprox(apart.forward(images, {}), 1e-12));
}

TEST_CASE("a network is named by its structure in one way only") {
  CHECK(network_named("residual").structure == structure{});
  CHECK(network_named("narrow+se").structure == structure{.d = false, .se = true});
  CHECK(network_named("narrow+se").width == 8);
  for (const char* name : {"residual+d", "residual+se+d", "residual+", "residual+all", "demo+d", "demo+none", ""})
    CHECK_THROWS_AS(network_named(name), std::invalid_argument);
}

TEST_CASE("running statistics converge to the batch's, so that inference matches training") {
  const matrix<double> images = made_up(6, 784, 1);
  residual_network<double> net(7, 4, 1);
  const matrix<double> untrained = net.forward(images, {});
  CHECK_FALSE(untrained.isApprox(net.forward(images, {.training = true}), 1e-3));
  for (int i = 0; i < 400; ++i) net.forward(images, {.training = true});
  const matrix<double> trained = net.forward(images, {.training = true});
  const Eigen::VectorXd before = net.statistics;
  CHECK(net.forward(images, {}).isApprox(trained, 1e-9));
  CHECK(net.statistics == before);  // tests leave them
}

TEST_CASE("inference of an image does not depend on the other images") {
  const matrix<float> images = made_up(5, 784, 1).cast<float>();
  residual_network<float> net(7, 8, 1);
  net.forward(images, {.training = true});
  const matrix<float> all = net.forward(images, {});
  const matrix<float> first = images.topRows(1);
  CHECK(net.forward(first, {}).isApprox(all.topRows(1), 1e-5f));
}

TEST_CASE("a residual block with a last γ of 0 is the identity on outputs of a ReLU") {
  const auto net = make_network(network_named("residual"), 3);
  ladder::zero_gammas(*net);
  int zeros = 0;
  for (const demo::named_tensor& t : net->tensors())
    if (t.name.ends_with("bn2.weight")) {
      CHECK(net->parameters().segment(t.at, t.size()).isZero());
      ++zeros;
    }
  CHECK(zeros == 2);
  demo::named_tensors parameters, statistics;
  ladder::residual_block<double> block("layer1.0", 2, 2, 4, 1, {}, {}, parameters, statistics);
  Eigen::VectorXd p = Eigen::VectorXd::Constant(parameters.size(), 0.3), s = Eigen::VectorXd::Zero(statistics.size());
  for (const demo::named_tensor& t : parameters)
    if (t.name == "layer1.0.bn2.weight" || t.name == "layer1.0.bn2.bias") p.segment(t.at, t.size()).setZero();
  const matrix<double> x = made_up(3 * 16, 2, 5).cwiseAbs();
  matrix<double> patches;
  block.forward(p.data(), s.data(), x, {.training = true}, patches);
  CHECK(block.y == x);
}

TEST_CASE("decay_of spares biases and norms if asked to") {
  for (const char* name : {"demo", "residual"}) {
    const auto net = make_network(network_named(name), 1);
    CHECK(ladder::decay_of(*net, 0.5f, false).isConstant(0.5f));
    const Eigen::VectorXf pull = ladder::decay_of(*net, 0.5f, true);
    for (const demo::named_tensor& t : net->tensors()) {
      CAPTURE(t.name);
      CHECK(pull.segment(t.at, t.size()).isConstant(t.dimensions > 1 ? 0.5f : 0.0f));
    }
  }
}
