// SPDX-License-Identifier: MIT
/// How PaddleDetection's YOLOv3 and PP-YOLO match boxes with anchors (Gt2YoloTarget).
#pragma once

#include <hone/detect/shape_overlap.hpp>

#include <hone/core/macros_push.hpp>

namespace hone::inline HONE_ABI::ppyolo {

struct match_options {
  real iou_threshold = 1;  ///< >= 0: further anchors above this shape IoU match too, where no box was; 1: none
};

/// A box whose score is above 0 is matched, in the cell of its centre, with the anchor whose shape is the most like its
/// own among those of all levels, the first of equals, if it is this level's; and with those of this level above
/// iou_threshold whose slots no box before has. In the order of the boxes, the best anchor first. level.anchors are
/// those of all levels.
///
/// A slot has one box: a later one with the same best anchor takes it over, and is in the earlier one's place in the
/// list. PaddleDetection keeps the classes of both.
inline std::vector<anchor_match> match(anchor_level const& level, std::span<const labelled_box> boxes,
                                       match_options options = {}) {
  const char* const function = "ppyolo::match";
  detail::require_level(function, level);
  detail::require_labelled(function, level, boxes);
  const double threshold = options.iou_threshold;
  detail::require(threshold >= 0, function, "iou_threshold", threshold, "at least 0");
  std::vector<anchor_match> matches;
  std::vector<index> match_of(static_cast<std::size_t>(level.slots()), -1);
  for (std::size_t i = 0; i < boxes.size(); ++i) {
    if (!(boxes[i].score > 0)) continue;
    detail::match_by_shape(level, boxes, i, threshold, [&](anchor_match m, bool best) {
      index& at = match_of[static_cast<std::size_t>(m.slot)];
      if (at < 0) {
        at = index(matches.size());
        matches.push_back(m);
      } else if (best) {
        matches[static_cast<std::size_t>(at)] = m;
      }
    });
  }
  return matches;
}

}  // namespace hone::inline HONE_ABI::ppyolo

#include <hone/core/macros_pop.hpp>
