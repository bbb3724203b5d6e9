// SPDX-License-Identifier: MIT
#include "network.hpp"
#include "differences.hpp"

#include <doctest/doctest.h>

using deformable::canvas_side, deformable::network;
using demo::matrix;
using test::made_up;

TEST_CASE("the gradients of both networks match finite differences") {
  for (const auto width : {std::optional<Eigen::Index>(), std::optional<Eigen::Index>(5)}) {
    CAPTURE(width.has_value());
    const matrix<double> canvases = made_up(3, canvas_side * canvas_side, 1), weights = made_up(3, 10, 2);
    network<double> net(7, width);
    std::mt19937_64 random(3);
    for (double& p : net.parameters) p += 0.02 * (2 * demo::uniform(random) - 1);  // also offsets: off the grid
    const auto value = [&] { return (net.forward(canvases, true).array() * weights.array()).sum(); };
    value();
    CHECK((net.mean_offset() > 0) == !width);
    net.backward(weights);
    const Eigen::VectorXd gradient = net.gradient;
    for (const demo::named_tensor& t : net.tensors())
      for (int trial = 0; trial < 4; ++trial) {
        const auto at = t.at + static_cast<Eigen::Index>(random() % static_cast<std::uint64_t>(t.size()));
        CAPTURE(t.name);
        CHECK(gradient[at] ==
              doctest::Approx(test::derivative(net.parameters[at], 1e-7, value)).epsilon(1e-5).scale(1));
      }
  }
}

TEST_CASE("the deformable network begins with all taps on their grid, and both have as many parameters") {
  network<double> net(7);
  net.forward(made_up(2, canvas_side * canvas_side, 1), true);
  CHECK(net.mean_offset() == 0);
  const Eigen::Index width = deformable::equal_width(), size = network<float>(1).parameters.size();
  CHECK(network<float>(1, width).parameters.size() >= size);
  CHECK(network<float>(1, width - 1).parameters.size() < size);
}
