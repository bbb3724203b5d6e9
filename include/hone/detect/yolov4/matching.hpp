// SPDX-License-Identifier: MIT
/// Matches boxes with anchors like darknet's YOLOv4 (yolo_layer).
#pragma once

#include <hone/detect/shape_overlap.hpp>

#include <hone/core/macros_push.hpp>

namespace hone::inline HONE_ABI::yolov4 {

struct match_options {
  real iou_threshold = 1;  ///< >= 0: other anchors with a larger shape IoU match too; 1: none; 0.213 in YOLOv4
};

/// Returns the matches of a level. A box matches, in the cell of its centre, the anchor of the most similar shape among
/// those of all levels (the first of equals) if it is of this level, and this level's others above iou_threshold. Order
/// as in darknet: by box, best anchor first. level.anchors contains all levels' anchors. For a centre at 1, darknet
/// writes past a row; here it is in the last cell. Throws hone::invalid_argument if an argument is out of range.
HONE_IF_CALLED
std::vector<anchor_match> match(anchor_level const& level, std::span<const labelled_box> boxes,
                                match_options options = {}) {
  const char* const function = "yolov4::match";
  detail::require_level(function, level);
  detail::require_labelled(function, level, boxes);
  const double threshold = options.iou_threshold;
  detail::require(threshold >= 0, function, "iou_threshold", threshold, "at least 0");
  std::vector<anchor_match> matches;
  for (std::size_t i = 0; i < boxes.size(); ++i)
    detail::match_by_shape(level, boxes, i, threshold, [&](anchor_match m, bool) { matches.push_back(m); });
  return matches;
}

/// Returns the weight of each match's box loss, for hone::weigh_rows: darknet divides the sum of a slot's box losses by
/// its number of different labels (several only if iou_threshold < 1). Throws if the box of a match does not exist.
HONE_IF_CALLED
std::vector<float> box_weights(std::span<const labelled_box> boxes, std::span<const anchor_match> matches) {
  const auto label = [&](anchor_match const& m) { return boxes[static_cast<std::size_t>(m.box)].label.value; };
  std::vector<std::pair<index, index>> labels;  // (slot, label)
  for (std::size_t i = 0; i < matches.size(); ++i) {
    if (matches[i].box < 0 || matches[i].box >= index(boxes.size()))
      detail::fail("yolov4::box_weights: box of match %zu is %jd, must be in [0, %zu)", i,
                   std::intmax_t(matches[i].box), boxes.size());
    labels.emplace_back(matches[i].slot, label(matches[i]));
  }
  std::sort(labels.begin(), labels.end());
  labels.erase(std::unique(labels.begin(), labels.end()), labels.end());
  std::vector<float> weights;
  weights.reserve(matches.size());
  for (anchor_match const& m : matches) {
    const auto less = [](auto const& a, auto const& b) { return a.first < b.first; };
    const auto [from, to] = std::equal_range(labels.begin(), labels.end(), std::pair(m.slot, index(0)), less);
    weights.push_back(1.0f / static_cast<float>(to - from));
  }
  return weights;
}

}  // namespace hone::inline HONE_ABI::yolov4

#include <hone/core/macros_pop.hpp>
