// SPDX-License-Identifier: MIT
/// Matches boxes with anchors like PaddleDetection's YOLOv3 and PP-YOLO (Gt2YoloTarget).
#pragma once

#include <hone/detect/shape_overlap.hpp>

#include <hone/core/macros_push.hpp>

namespace hone::inline HONE_ABI::ppyolo {

struct match_options {
  real iou_threshold = 1;  ///< >= 0: other anchors with a larger shape IoU match too, if their slot is free; 1: none
};

/// Returns the matches of a level. A box with a score above 0 matches, in the cell of its centre, the anchor of the
/// most similar shape among those of all levels (the first of equals) if that anchor is of this level, and this level's
/// other anchors with a shape IoU above iou_threshold whose slots are still free. Order: by box, best anchor first.
/// level.anchors contains the anchors of all levels. Throws hone::invalid_argument if an argument is out of range.
///
/// A slot has one box: a later box with the same best anchor replaces the earlier one, at its position in the list.
/// PaddleDetection keeps the classes of both.
HONE_IF_CALLED
std::vector<anchor_match> match(anchor_level const& level, std::span<const labelled_box> boxes,
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
