// SPDX-License-Identifier: MIT
/// Overlaps of boxes, naively, for tests.
#pragma once

#include <hone/detect/anchors.hpp>

#include <algorithm>

namespace support {

/// IoU of two boxes that are said by their centres.
inline double overlap(double ax, double ay, double aw, double ah, double bx, double by, double bw, double bh) {
  const double x = std::min(ax + aw / 2, bx + bw / 2) - std::max(ax - aw / 2, bx - bw / 2);
  const double y = std::min(ay + ah / 2, by + bh / 2) - std::max(ay - ah / 2, by - bh / 2);
  if (x <= 0 || y <= 0) return 0;
  return x * y / (aw * ah + bw * bh - x * y);
}

/// The highest IoU of a predicted box (cx, cy, w, h) with the boxes of an image.
template <class T>
double best_overlap(T const* p, hone::index image, std::vector<hone::labelled_box> const& boxes) {
  double best = 0;
  for (hone::labelled_box const& b : boxes)
    if (b.image == image)
      best =
          std::max(best, overlap(double(p[0]), double(p[1]), double(p[2]), double(p[3]), b.x, b.y, b.width, b.height));
  return best;
}

/// Of the shapes' IoUs, both laid over each other in fractions of the image.
inline double shape_overlap(hone::anchor_level const& level, hone::labelled_box const& b, hone::anchor_size a) {
  return overlap(0, 0, b.width, b.height, 0, 0, a.width / (level.stride * double(level.columns)),
                 a.height / (level.stride * double(level.rows)));
}

}  // namespace support
