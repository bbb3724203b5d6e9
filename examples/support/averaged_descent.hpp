// SPDX-License-Identifier: MIT
/// How networks are trained whose averaged weights are tested.
#pragma once

#include "sgd.hpp"

#include <hone/hone.hpp>

namespace demo {

/// Gradient descent by clipped gradients, and an exponential moving average of the parameters.
class averaged_descent {
 public:
  /// largest_norm: of all gradients together.
  averaged_descent(Eigen::VectorXf& parameters, double largest_norm)
      : largest_norm_(largest_norm), shadow_(list_of(parameters)) {}

  /// Leaves the parameters where a gradient is not finite.
  void step(const hone::cpu& cpu, Eigen::VectorXf& parameters, Eigen::VectorXf& gradient, double rate) {
    const auto report = hone::transform(cpu, hone::clip_by_global_norm(largest_norm_), list_of(gradient));  // hone
    if (report.finite) optimizer_.update(parameters, gradient, rate);
    hone::update(cpu, average_, shadow_, list_of(parameters));  // hone
  }

  /// Puts the averaged weights in, and out again.
  void swap(const hone::cpu& cpu, Eigen::VectorXf& parameters) {
    hone::swap(cpu, shadow_, list_of(parameters));  // hone
  }

 private:
  static hone::tensor_list<float> list_of(Eigen::VectorXf& v) { return {{v.data(), v.size()}}; }

  const double largest_norm_;
  const hone::ema average_{.decay = 0.998, .ramp = hone::threshold_ramp()};  // hone
  hone::ema_state<float> shadow_;                                            // hone
  sgd optimizer_{.decay = 1e-4f};
};

}  // namespace demo
