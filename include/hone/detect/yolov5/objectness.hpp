// SPDX-License-Identifier: MIT
/// YOLOv5's targets of objectness (its utils/loss.py).
#pragma once

#include <hone/core/numbers.hpp>
#include <hone/detect/anchors.hpp>

#include <hone/core/macros_push.hpp>

namespace hone::inline HONE_ABI::yolov5 {

struct objectness_options {
  real ratio = 1;          ///< in [0, 1]: how much of the target is the IoU ("gr"); the rest is 1
  bool best_wins = false;  ///< of several matches of a slot the highest IoU counts ("sort_obj_iou"), not the last
};

/// The objectness of every slot:
///   (1 - ratio) + ratio · max(IoU, 0)    where a box was matched, 0 elsewhere
/// with the complete IoU of each match's predicted box and its target, as a constant: nothing is differentiated through
/// it. 1 minus the losses that hone::ciou_loss leaves in `unreduced` are these IoUs; NaN stays NaN.
inline std::vector<float> objectness_targets(anchor_level const& level, std::span<const anchor_match> matches,
                                             numbers ious, objectness_options options = {}) {
  const char* const function = "yolov5::objectness_targets";
  detail::require_level(function, level);
  detail::require_slots(function, level, matches);
  const double ratio = options.ratio;
  detail::require(ratio >= 0 && ratio <= 1, function, "ratio", ratio, "in [0, 1]");
  detail::require_ious(function, ious, matches);
  std::vector<float> target(static_cast<std::size_t>(level.slots()));
  for (std::size_t i = 0; i < matches.size(); ++i) {
    const double iou = ious[index(i)];
    const auto value = static_cast<float>((1 - ratio) + ratio * (iou < 0 ? 0 : iou));
    float& t = target[static_cast<std::size_t>(matches[i].slot)];
    if (!options.best_wins || !(value < t)) t = value;
  }
  return target;
}

}  // namespace hone::inline HONE_ABI::yolov5

#include <hone/core/macros_pop.hpp>
