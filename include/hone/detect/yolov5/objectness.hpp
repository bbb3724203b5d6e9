// SPDX-License-Identifier: MIT
/// YOLOv5's objectness targets (its utils/loss.py).
#pragma once

#include <hone/core/numbers.hpp>
#include <hone/detect/anchors.hpp>

#include <hone/core/macros_push.hpp>

namespace hone::inline HONE_ABI::yolov5 {

struct objectness_options {
  real ratio = 1;          ///< in [0, 1]: part of the IoU in the target ("gr")
  bool best_wins = false;  ///< of several matches of a slot, use the largest IoU ("sort_obj_iou"), not the last
};

/// Returns the target of objectness per slot:
///   (1 - ratio) + ratio · max(IoU, 0)    if a box was matched, else 0
/// `ious` has one complete IoU per match, of its prediction and its box, without gradient: 1 minus the losses that
/// hone::ciou_loss writes to `unreduced`. NaN stays NaN. Throws hone::invalid_argument if an argument does not fit.
HONE_IF_CALLED
std::vector<float> objectness_targets(anchor_level const& level, std::span<const anchor_match> matches, numbers ious,
                                      objectness_options options = {}) {
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
