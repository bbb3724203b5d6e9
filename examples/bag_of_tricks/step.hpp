// SPDX-License-Identifier: MIT
/// One step of a training with any set of tricks: nearly all that the library has to do with it.
#pragma once

#include "batches.hpp"
#include "checkpoint.hpp"
#include "plan.hpp"

namespace ladder {

class stepper {
 public:
  /// teacher: with distillation only. steps: of the whole training.
  stepper(const training& what, const plan& plan, network* teacher, hone::index steps);

  /// Velocity, average and zero γ of a training that begins; the network is there.
  void begin(training_state& state) const;
  /// Returns the loss. Images may be mixed in place.
  double step(training_state& state, demo::batch& batch, hone::index step);
  double rate(hone::index step) const;

 private:
  hone::mixup_draw draw(hone::index step, hone::index rows) const;
  void update(training_state& state, double rate);

  const training& what_;
  const plan& plan_;
  network* teacher_;
  const network_kind kind_;
  const double constant_;
  const hone::warmup_cosine schedule_;
  const hone::ema average_;
  const hone::cpu cpu_{1};
  Eigen::VectorXf decay_;
  matrix<float> mixed_, gradient_;
};

}  // namespace ladder
