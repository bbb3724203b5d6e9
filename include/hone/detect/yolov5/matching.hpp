// SPDX-License-Identifier: MIT
/// Matches boxes with anchors like YOLOv5 (build_targets in its utils/loss.py).
#pragma once

#include <hone/detect/anchors.hpp>

#include <hone/core/macros_push.hpp>

namespace hone::inline HONE_ABI::yolov5 {

struct match_options {
  real ratio = 4;     ///< finite, > 1: the largest ratio of a box's side and its anchor's ("anchor_t")
  real offset = 0.5;  ///< in [0, 0.5]: a centre closer than this to a neighbouring cell matches there too
};

/// Returns the matches of a level. A box matches every anchor whose sides differ by a factor below `ratio`, in the cell
/// of its centre and in the cells to the left, above, to the right and below that exist and are closer than `offset`.
/// The order is YOLOv5's, on which objectness_targets depends: all cells of centres, then all left, above, right,
/// below, each by anchor and then by box. Throws hone::invalid_argument if an argument is out of range.
HONE_IF_CALLED
std::vector<anchor_match> match(anchor_level const& level, std::span<const labelled_box> boxes,
                                match_options options = {}) {
  const char* const function = "yolov5::match";
  detail::require_level(function, level);
  detail::require_labelled(function, level, boxes);
  const double ratio = options.ratio, g = options.offset;
  detail::require(ratio > 1 && detail::finite(ratio), function, "ratio", ratio, "finite and above 1");
  detail::require(g >= 0 && g <= 0.5, function, "offset", g, "in [0, 0.5]");
  const auto rows = static_cast<double>(level.rows), columns = static_cast<double>(level.columns);
  const auto near = [&](double x) { return x - std::floor(x) < g && x > 1; };
  const auto alike = [&](double side, double anchor) {
    const double r = side * level.stride / anchor;
    return r > 0 && r < ratio && 1 / r < ratio;  // a box without area matches no anchor
  };

  std::vector<anchor_match> matches;
  for (int step = 0; step < 5; ++step)
    for (index a = 0; a < level.anchor_count(); ++a)
      for (std::size_t i = 0; i < boxes.size(); ++i) {
        labelled_box const b = detail::in_range(boxes[i]);
        const anchor_size anchor = level.anchors[static_cast<std::size_t>(level.first + a)];
        if (!alike(b.width * columns, anchor.width) || !alike(b.height * rows, anchor.height)) continue;
        const double x = b.x * columns, y = b.y * rows;
        const bool taken[5] = {true, near(x), near(y), near(columns - x), near(rows - y)};
        if (!taken[step]) continue;
        const double to_x = step == 1 ? -g : step == 3 ? g : 0, to_y = step == 2 ? -g : step == 4 ? g : 0;
        matches.push_back(detail::match_of(level, index(i), b.image, a, detail::cell_of(y + to_y, level.rows),
                                           detail::cell_of(x + to_x, level.columns)));
      }
  return matches;
}

}  // namespace hone::inline HONE_ABI::yolov5

#include <hone/core/macros_pop.hpp>
