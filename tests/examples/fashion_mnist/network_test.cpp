// SPDX-License-Identifier: MIT
#include "convolutional_network.hpp"
#include "differences.hpp"
#include "sgd.hpp"

#include <doctest/doctest.h>

using demo::matrix;
using test::made_up;

TEST_CASE("the network's gradient matches finite differences") {
  const matrix<double> images = made_up(11, 784, 1), weights = made_up(11, 10, 2);  // slices of one and of two images
  demo::basic_network<double> net(7, 2);
  for (Eigen::Index i = 0; i < net.parameters.size(); i += 3) net.parameters[i] += 0.01;  // biases other than 0
  const auto value = [&] { return (net.forward(images).array() * weights.array()).sum(); };
  value();
  net.backward(weights);
  const Eigen::VectorXd gradient = net.gradient;

  std::mt19937_64 random(3);
  const double h = 1e-5;
  const Eigen::Index early = 16 * 10 + 32 * 145;  // the convolutions come first, and are few
  for (int trial = 0; trial < 150; ++trial) {
    const auto range = static_cast<std::uint64_t>(trial < 75 ? early : net.parameters.size());
    const auto at = static_cast<Eigen::Index>(random() % range);
    CAPTURE(at);
    CHECK(gradient[at] == doctest::Approx(test::derivative(net.parameters[at], h, value)).epsilon(1e-6).scale(1));
  }
}

TEST_CASE("the network is bit-identical for every number of threads") {
  const matrix<float> images = made_up(37, 784, 1).cast<float>(), gradient = made_up(37, 10, 2).cast<float>();
  demo::network one(5, 1), many(5, 6);
  CHECK(one.parameters == many.parameters);
  CHECK(one.forward(images) == many.forward(images));
  one.backward(gradient);
  many.backward(gradient);
  CHECK(one.gradient == many.gradient);
}

TEST_CASE("the network takes batches with fewer images than slices") {
  const matrix<float> images = made_up(9, 784, 1).cast<float>();
  demo::network net(5, 2);
  const matrix<float> all = net.forward(images);
  const matrix<float> first = images.topRows(1);
  CHECK(net.forward(first).isApprox(all.topRows(1), 1e-5f));
  net.backward(matrix<float>::Ones(1, 10));
  CHECK(net.gradient.allFinite());
}

TEST_CASE("the tensors of the network cover its parameters") {
  CHECK(demo::network::tensors().size() == demo::network(1, 1).parameters.size());
  CHECK(demo::network::tensors().begin()[3].name == "conv2.bias");
}

TEST_CASE("each seed gives its own weights, reproducibly") {
  CHECK(demo::network(1, 1).parameters == demo::network(1, 1).parameters);
  CHECK(demo::network(1, 1).parameters != demo::network(2, 1).parameters);
}

TEST_CASE("sgd follows its formulas of momentum and weight decay") {
  demo::sgd optimizer{.momentum = 0.5f, .decay = 0.25f};
  Eigen::VectorXf x = Eigen::VectorXf::Constant(1, 8), gradient = Eigen::VectorXf::Constant(1, 2);
  optimizer.update(x, gradient, 0.5);  // v = 2 + 2, x = 8 - 2
  CHECK(x[0] == 6);
  optimizer.update(x, gradient, 0.5);  // v = 2 + 2 + 1.5, x = 6 - 2.75
  CHECK(x[0] == 3.25f);
}
