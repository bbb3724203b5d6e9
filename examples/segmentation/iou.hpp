// SPDX-License-Identifier: MIT
/// How much of a segmentation is right.
#pragma once

#include <cstdint>
#include <span>
#include <vector>

namespace segmentation {

/// All sums are over the pixels of all images together, as in Pascal VOC.
struct score {
  static constexpr double absent = -1;

  double mean_iou = 0;  // over the classes that are not absent
  double accuracy = 0;  // the part of the pixels whose label is right
  std::vector<double>
      of_class;  // IoU: pixels where label and prediction are the class, over those where one of them is
};

/// Counts of pairs of a label and a prediction. Pixels with the label to ignore do not count, whatever is predicted.
class confusion {
 public:
  confusion(int classes, int ignored);

  /// A label and a prediction per pixel.
  void add(std::span<const std::uint8_t> labels, std::span<const std::uint8_t> predictions);

  /// A class that is neither a label nor a prediction anywhere is absent. All zeros where no pixel counts.
  score scored() const;

 private:
  double& at(std::size_t label, std::size_t prediction) { return counts_[label * classes_ + prediction]; }
  double at(std::size_t label, std::size_t prediction) const { return counts_[label * classes_ + prediction]; }

  std::size_t classes_;
  int ignored_;
  std::vector<double> counts_;
};

}  // namespace segmentation
