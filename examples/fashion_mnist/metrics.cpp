// SPDX-License-Identifier: MIT
#include "metrics.hpp"

#include <cmath>

namespace demo {

void classification_metrics::add(const matrix<float>& logits, std::span<const int> labels) {
  for (Eigen::Index row = 0; row < logits.rows(); ++row) {
    Eigen::Index top = 0;
    const double largest = logits.row(row).maxCoeff(&top);
    const double confidence = 1 / (logits.row(row).cast<double>().array() - largest).exp().sum();
    // bins are (low, high]: a confidence of exactly 1 belongs to the last
    const int k = std::clamp(static_cast<int>(std::ceil(confidence * bins)) - 1, 0, bins - 1);
    bins_[k].count += 1;
    bins_[k].confidence += confidence;
    bins_[k].correct += top == labels[static_cast<std::size_t>(row)] ? 1 : 0;
  }
}

double classification_metrics::accuracy() const {
  double count = 0, correct = 0;
  for (const bin& b : bins_) count += b.count, correct += b.correct;
  return count > 0 ? correct / count : 0;
}

double classification_metrics::calibration_error() const {
  double count = 0, gap = 0;
  for (const bin& b : bins_) count += b.count, gap += std::abs(b.correct - b.confidence);
  return count > 0 ? gap / count : 0;
}

}  // namespace demo
