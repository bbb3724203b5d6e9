// SPDX-License-Identifier: MIT
/// Compares boxes with anchors by their shapes only, as darknet and PaddleDetection do.
#pragma once

#include <hone/detect/anchors.hpp>

#include <hone/core/macros_push.hpp>

namespace hone::inline HONE_ABI::detail {

/// Returns the IoU of a box and an anchor with the same centre.
inline double shape_overlap(anchor_level const& level, labelled_box const& b, anchor_size anchor) noexcept {
  const double width =
      b.width * (level.stride * static_cast<double>(level.columns));  // in pixels, exact for integer numbers of pixels
  const double height = b.height * (level.stride * static_cast<double>(level.rows));
  const double both = std::min(width, anchor.width) * std::min(height, anchor.height);
  return both / (width * height + anchor.width * anchor.height - both);
}

/// Returns the index of the anchor, among those of all levels, whose shape is the most similar to the box's (the first
/// of equals), or -1 for a box without area.
inline index best_anchor(anchor_level const& level, labelled_box const& b) noexcept {
  index best = -1;
  double highest = 0;
  for (std::size_t a = 0; a < level.anchors.size(); ++a)
    if (const double iou = shape_overlap(level, b, level.anchors[a]); iou > highest) highest = iou, best = index(a);
  return best;
}

/// Calls take(match, true) for the box's best anchor, if it is of this level; then, if the threshold is below 1,
/// take(match, false) for the level's other anchors whose shape IoU is above the threshold.
template <class Take>
void match_by_shape(anchor_level const& level, std::span<const labelled_box> boxes, std::size_t i, double threshold,
                    Take const& take) {
  labelled_box const b = in_range(boxes[i]);
  const index best = best_anchor(level, b) - level.first, count = level.anchor_count();
  if (level.rows == 0 || level.columns == 0) return;
  const index row = cell_of(b.y * static_cast<double>(level.rows), level.rows);
  const index column = cell_of(b.x * static_cast<double>(level.columns), level.columns);
  const auto match = [&](index a) { return match_of(level, index(i), b.image, a, row, column); };
  if (best >= 0 && best < count) take(match(best), true);
  if (!(threshold < 1)) return;
  for (index a = 0; a < count; ++a)
    if (a != best && shape_overlap(level, b, level.anchors[static_cast<std::size_t>(level.first + a)]) > threshold)
      take(match(a), false);
}

}  // namespace hone::inline HONE_ABI::detail

#include <hone/core/macros_pop.hpp>
