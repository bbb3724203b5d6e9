// SPDX-License-Identifier: MIT
/// The losses that are compared.
#pragma once

#include <hone/hone.hpp>

#include <functional>
#include <span>
#include <string>
#include <vector>

namespace regression {

using boxes_view = hone::matrix_view<const double>;  // n x 4: (cx, cy, w, h)

struct contestant {
  std::string name;
  bool exact;  // hone's gradient; otherwise darknet's

  /// Writes weight · the gradient of each box's loss.
  std::function<void(const hone::cpu&, boxes_view targets, boxes_view boxes, std::span<const double> weights,
                     hone::matrix_view<double> gradient)>
      gradient;

  std::string label() const { return exact ? name : name + ", darknet"; }
};

/// IoU, GIoU, DIoU, CIoU and EIoU with hone's gradients, and the first four with darknet's.
const std::vector<contestant>& contestants();

}  // namespace regression
