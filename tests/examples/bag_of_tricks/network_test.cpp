// SPDX-License-Identifier: MIT
#include "differences.hpp"
#include "networks.hpp"
#include "residual_network.hpp"

#include <doctest/doctest.h>

using demo::matrix;
using ladder::residual_network;
using test::made_up;

TEST_CASE("the residual network's gradient matches finite differences") {
  const matrix<double> images = made_up(5, 784, 1), weights = made_up(5, 10, 2);
  residual_network<double> net(7, 3, 2);
  std::mt19937_64 random(3);
  for (double& p : net.parameters) p += 0.02 * (2 * demo::uniform(random) - 1);  // β other than 0, γ other than 1
  const auto value = [&] { return (net.forward(images, true).array() * weights.array()).sum(); };
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

TEST_CASE("running statistics converge to the batch's, so that inference matches training") {
  const matrix<double> images = made_up(6, 784, 1);
  residual_network<double> net(7, 4, 1);
  const matrix<double> untrained = net.forward(images, false);
  CHECK_FALSE(untrained.isApprox(net.forward(images, true), 1e-3));
  for (int i = 0; i < 400; ++i) net.forward(images, true);
  const matrix<double> trained = net.forward(images, true);
  const Eigen::VectorXd before = net.statistics;
  CHECK(net.forward(images, false).isApprox(trained, 1e-9));
  CHECK(net.statistics == before);  // tests leave them
}

TEST_CASE("inference of an image does not depend on the other images") {
  const matrix<float> images = made_up(5, 784, 1).cast<float>();
  residual_network<float> net(7, 8, 1);
  net.forward(images, true);
  const matrix<float> all = net.forward(images, false);
  const matrix<float> first = images.topRows(1);
  CHECK(net.forward(first, false).isApprox(all.topRows(1), 1e-5f));
}

TEST_CASE("a residual block with a last γ of 0 is the identity on outputs of a ReLU") {
  const auto net = ladder::make_network(ladder::network_named("residual"), 3);
  ladder::zero_gammas(*net);
  int zeros = 0;
  for (const demo::named_tensor& t : net->tensors())
    if (t.name.ends_with("bn2.weight")) {
      CHECK(net->parameters().segment(t.at, t.size()).isZero());
      ++zeros;
    }
  CHECK(zeros == 2);
  demo::named_tensors parameters, statistics;
  ladder::residual_block<double> block("layer1.0", 2, 2, 4, 1, parameters, statistics);
  Eigen::VectorXd p = Eigen::VectorXd::Constant(parameters.size(), 0.3), s = Eigen::VectorXd::Zero(statistics.size());
  for (const demo::named_tensor& t : parameters)
    if (t.name == "layer1.0.bn2.weight" || t.name == "layer1.0.bn2.bias") p.segment(t.at, t.size()).setZero();
  const matrix<double> x = made_up(3 * 16, 2, 5).cwiseAbs();
  matrix<double> patches;
  block.forward(p.data(), s.data(), x, true, patches);
  CHECK(block.y == x);
}

TEST_CASE("decay_of spares biases and norms if asked to") {
  for (const char* name : {"demo", "residual"}) {
    const auto net = ladder::make_network(ladder::network_named(name), 1);
    CHECK(ladder::decay_of(*net, 0.5f, false).isConstant(0.5f));
    const Eigen::VectorXf pull = ladder::decay_of(*net, 0.5f, true);
    for (const demo::named_tensor& t : net->tensors()) {
      CAPTURE(t.name);
      CHECK(pull.segment(t.at, t.size()).isConstant(t.dimensions > 1 ? 0.5f : 0.0f));
    }
  }
}
