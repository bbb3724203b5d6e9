// SPDX-License-Identifier: MIT
/// How good a classifier is, and how far apart several trainings of it are.
#pragma once

#include "convolution.hpp"
#include "spread.hpp"

#include <span>

namespace demo {

/// Accuracy and calibration, gathered over batches of logits.
class classification_metrics {
 public:
  static constexpr int bins = 15;

  void add(const matrix<float>& logits, std::span<const int> labels);

  double accuracy() const;
  double error() const { return 1 - accuracy(); }
  /// Expected calibration error (Guo et al. 2017, 1706.04599): over bins of equal width of the top
  /// probability, the mean of |accuracy - confidence|, weighted by the samples in each bin.
  double calibration_error() const;

 private:
  struct bin {
    double count = 0, correct = 0, confidence = 0;
  };
  bin bins_[bins];
};

}  // namespace demo
