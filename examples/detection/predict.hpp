// SPDX-License-Identifier: MIT
/// From what the network says to boxes.
#pragma once

#include "network.hpp"

#include <hone/hone.hpp>

namespace detection {

struct prediction_options {
  double least_score = 0.01;
  std::size_t most_candidates = 300, most = 100;  // of an image, before and after the suppression
  double threshold = 0.5;                         // IoU from which the lower score is suppressed
};

/// The indices that stay of boxes, highest scores first: a box goes where one of its class with a higher score, or with
/// the same and a smaller index, stays and overlaps it by more than the threshold.
std::vector<hone::index> suppressed(const hone::cpu& cpu, const std::vector<detected>& boxes, double threshold);

/// Of row `image` of the network's outputs; highest scores first, inside the canvas.
std::vector<detected> predictions(const hone::cpu& cpu, const network& net, Eigen::Index image,
                                  const prediction_options& options = {});

}  // namespace detection
