// SPDX-License-Identifier: MIT
/// Average precision by COCO's rules, as pycocotools' COCOeval counts it for boxes of every area.
#pragma once

#include <array>
#include <vector>

namespace detection {

/// Corners in pixels; x2 and y2 lie outside.
struct rectangle {
  double x1, y1, x2, y2;
};

struct truth {
  rectangle box;
  int label;           // from 0
  bool crowd = false;  // a region of many: what is detected in it counts neither for nor against
};

struct detected {
  rectangle box;
  int label;
  double score;
};

struct evaluated_image {
  std::vector<truth> truths;
  std::vector<detected> detections;
};

/// Means over the classes that have a truth which is no crowd; -1 where none has.
struct average_precision {
  static constexpr int thresholds = 10;  // IoU 0.5, 0.55, … 0.95

  double mean = -1;                        // over all thresholds: AP@[.5:.95]
  std::array<double, thresholds> at = {};  // at each; at[0] is AP@.5
  std::vector<double> of_class = {};       // over all thresholds; -1 for classes without truths
};

/// Of `classes` classes. Of each image and class the `most` detections with the highest scores count (COCO: 100).
/// Detections of equal scores keep their order, and that of the images.
average_precision evaluate(const std::vector<evaluated_image>& images, int classes, int most = 100);

}  // namespace detection
