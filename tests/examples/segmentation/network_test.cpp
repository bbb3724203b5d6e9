// SPDX-License-Identifier: MIT
#include "network.hpp"
#include "differences.hpp"

#include <doctest/doctest.h>

using namespace segmentation;
using test::made_up;

TEST_CASE("the network's gradient matches finite differences") {
  const matrix<double> images = made_up(2, canvas_pixels, 1), by_logits = made_up(2, classes * canvas_pixels, 2);
  basic_network<double> net(7, 2);
  for (Eigen::Index i = 0; i < net.parameters.size(); i += 3) net.parameters[i] += 0.01;  // biases other than 0
  const auto value = [&] { return (net.forward(images).array() * by_logits.array()).sum(); };
  value();
  net.backward(by_logits);
  const Eigen::VectorXd gradient = net.gradient;
  REQUIRE(gradient.size() == net.parameters.size());

  // Every layer of weights begins behind the one before; of each, weights and biases.
  const Eigen::Index sizes[] = {88, 592, 1184, 2336, 7008, 20832, 18496, 8688, 275};
  CHECK(std::accumulate(std::begin(sizes), std::end(sizes), Eigen::Index(0)) == gradient.size());
  std::mt19937_64 random(3);
  Eigen::Index begin = 0;
  for (const Eigen::Index size : sizes) {
    for (int trial = 0; trial < 12; ++trial) {
      const auto at = trial == 0 ? begin + size - 1  // a bias
                                 : begin + static_cast<Eigen::Index>(random() % static_cast<std::uint64_t>(size));
      CAPTURE(at);
      CHECK(gradient[at] == doctest::Approx(test::derivative(net.parameters[at], 1e-7, value)).epsilon(1e-5).scale(1));
    }
    begin += size;
  }
}

TEST_CASE("the network is bit-identical for every number of threads") {
  const matrix<float> images = made_up(11, canvas_pixels, 1).cast<float>(),
                      by_logits = made_up(11, classes * canvas_pixels, 2).cast<float>();
  network one(5, 1), many(5, 6);
  CHECK(one.parameters == many.parameters);
  for (network* net : {&one, &many}) {
    net->forward(images);
    net->backward(by_logits);
  }
  CHECK(one.logits() == many.logits());
  CHECK(one.gradient == many.gradient);
}

TEST_CASE("pooling takes the largest of four pixels and gives the gradient to the first of equal ones") {
  const max_pool<double> pool{2, 2};
  const double image[] = {1, 4, 3, 2, 5, 5, 5, 5};
  double pooled[2], gradient[8] = {10, 10, 10, 10, 10, 10, 10, 10};
  pool.forward(image, pooled);
  CHECK((pooled[0] == 4 && pooled[1] == 5));
  const double by[] = {1, 2};
  pool.backward(image, by, gradient);
  const double wanted[] = {10, 11, 10, 10, 12, 10, 10, 10};
  CHECK(std::equal(std::begin(gradient), std::end(gradient), wanted));
}

TEST_CASE("upsampling repeats pixels and sums their gradients") {
  const nearest_upsampling<double> up{1, 2};
  const double image[] = {1, 2, 3, 4};
  double doubled[16], back[4];
  up.forward(image, doubled);
  const double wanted[] = {1, 1, 2, 2, 1, 1, 2, 2, 3, 3, 4, 4, 3, 3, 4, 4};
  CHECK(std::equal(std::begin(doubled), std::end(doubled), wanted));
  double by[16];
  for (int i = 0; i < 16; ++i) by[i] = i;
  up.backward(by, back);
  CHECK((back[0] == 10 && back[1] == 18 && back[2] == 42 && back[3] == 50));
}
