// SPDX-License-Identifier: MIT
#include "network.hpp"
#include "differences.hpp"

#include <doctest/doctest.h>

using namespace detection;
using test::made_up;

namespace {

constexpr Eigen::Index pixels = canvas_side * canvas_side;

}  // namespace

TEST_CASE("the network's gradient matches finite differences") {
  const int classes = 3;
  const matrix<double> images = made_up(2, pixels, 1), by_logits = made_up(2, classes * cells, 2),
                       by_boxes = made_up(2, 4 * cells, 3);
  basic_network<double> net(7, 2, classes);
  for (Eigen::Index i = 0; i < net.parameters.size(); i += 3) net.parameters[i] += 0.01;  // biases other than 0
  const auto value = [&] {
    net.forward(images);
    return (net.logits().array() * by_logits.array()).sum() + (net.boxes().array() * by_boxes.array()).sum();
  };
  value();
  net.backward(by_logits, by_boxes);
  const Eigen::VectorXd gradient = net.gradient;

  std::mt19937_64 random(3);
  const double h = 1e-6;
  for (int trial = 0; trial < 120; ++trial) {  // half of them in the first layers and the heads, which are few
    const auto size = static_cast<std::uint64_t>(net.parameters.size());
    const std::uint64_t most = trial % 4 == 0 ? 1300 : trial % 4 == 1 ? 49 * (classes + 4) : size;
    const auto from = static_cast<std::uint64_t>(trial % 4 == 1 ? size - most : 0);
    const auto at = static_cast<Eigen::Index>(from + random() % most);
    CAPTURE(at);
    CHECK(gradient[at] == doctest::Approx(test::derivative(net.parameters[at], h, value)).epsilon(1e-5).scale(1));
  }
}

TEST_CASE("the network is bit-identical for every number of threads") {
  const matrix<float> images = made_up(11, pixels, 1).cast<float>(),
                      by_logits = made_up(11, 10 * cells, 2).cast<float>(),
                      by_boxes = made_up(11, 4 * cells, 3).cast<float>();
  network one(5, 1, 10), many(5, 6, 10);
  CHECK(one.parameters == many.parameters);
  for (network* net : {&one, &many}) {
    net->forward(images);
    net->backward(by_logits, by_boxes);
  }
  CHECK(one.logits() == many.logits());
  CHECK(one.boxes() == many.boxes());
  CHECK(one.gradient == many.gradient);
}

TEST_CASE("a new network predicts the prior probability and boxes of 24 pixels") {
  network net(5, 1, 10);
  net.forward(made_up(1, pixels, 1).cast<float>());
  const double probability = 1 / (1 + std::exp(-static_cast<double>(net.logits().mean())));
  CHECK(probability == doctest::Approx(0.01).epsilon(0.3));
  CHECK(8 * std::exp(net.boxes().rightCols(2 * cells).mean()) == doctest::Approx(24).epsilon(0.3));
}
