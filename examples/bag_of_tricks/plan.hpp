// SPDX-License-Identifier: MIT
/// What all trainings of a run have in common, and what one of them is.
#pragma once

#include "networks.hpp"
#include "tricks.hpp"

#include <optional>

namespace ladder {

struct plan {
  int images = 20000, watched = 2000;  // to train on; and held-out ones for the curves after every epoch
  int measured = 10000;                // of the test set, once, after the last epoch
  int epochs = 12, batch = 64, seeds = 5;
  double smoothing = 0.1;        // ε
  double alpha = 0.2;            // of mixup
  double temperature = 4;        // of the distillation
  double soft_weight = 0.5;      // of the distillation beside the labels
  double average_decay = 0.998;  // of the moving average, ramped up
  double weight_decay = 5e-4, momentum = 0.9;
  std::optional<double> rate = {};  // in place of every network's own
  bool validation = false;          // measure on held-out training images; leave the test images alone

  int steps_per_epoch() const { return (images + batch - 1) / batch; }

  /// All that numbers depend on, in one line: records of another plan are refused.
  std::string text() const;
};

/// One training. Those with the same id are the same, bit by bit.
struct training {
  std::string network;
  tricks with;
  std::uint64_t seed = 1;
  int epochs = 0;
  std::string teacher = {};         // the id of the training that made it; with distillation only
  double soft_weight = 0;           // of the distillation beside the labels: 1 is no labels
  std::optional<int> missing = {};  // a class that the training images lack

  /// A file's name: "residual-schedule+mixup-e15-seed3"
  std::string id() const;
};

}  // namespace ladder
