// SPDX-License-Identifier: MIT
/// The optimizer of the examples.
#pragma once

#include <Eigen/Core>

namespace demo {

/// Plain stochastic gradient descent with momentum; weight decay is part of the gradient.
struct sgd {
  float momentum = 0.9f;
  float decay = 5e-4f;
  Eigen::VectorXf velocity = {};

  void update(Eigen::Ref<Eigen::VectorXf> parameters, const Eigen::VectorXf& gradient, double rate) {
    if (velocity.size() == 0) velocity.setZero(parameters.size());
    velocity = momentum * velocity + gradient + decay * parameters;
    parameters -= static_cast<float>(rate) * velocity;
  }
};

}  // namespace demo
