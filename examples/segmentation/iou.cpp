// SPDX-License-Identifier: MIT
#include "iou.hpp"

#include <algorithm>

namespace segmentation {

confusion::confusion(int classes, int ignored)
    : classes_(static_cast<std::size_t>(classes)), ignored_(ignored), counts_(classes_ * classes_) {}

void confusion::add(std::span<const std::uint8_t> labels, std::span<const std::uint8_t> predictions) {
  for (std::size_t i = 0; i < labels.size(); ++i)
    if (labels[i] != ignored_) at(labels[i], predictions[i]) += 1;
}

score confusion::scored() const {
  score s;
  double all = 0, right = 0, sum = 0, present = 0;
  for (std::size_t k = 0; k < classes_; ++k) {
    double label = 0, prediction = 0;
    for (std::size_t j = 0; j < classes_; ++j) label += at(k, j), prediction += at(j, k);
    const double both = at(k, k), either = label + prediction - both;
    s.of_class.push_back(either > 0 ? both / either : score::absent);
    if (either > 0) sum += both / either, present += 1;
    all += label, right += both;
  }
  s.mean_iou = sum / std::max(present, 1.0);
  s.accuracy = right / std::max(all, 1.0);
  return s;
}

}  // namespace segmentation
