// SPDX-License-Identifier: MIT
/// What confidence losses are told of every slot, and how far its predicted box overlaps a labelled one.
#pragma once

#include <hone/core/view.hpp>
#include <hone/core/view_check.hpp>
#include <hone/detect/anchors.hpp>
#include <hone/loss/box/iou.hpp>

namespace hone {

/// A target and a weight per slot, for a loss of n x 1 logits:
///
///     hone::weigh_rows(hone::binary_cross_entropy(hone::matrix_view{c.target.data(), n, 1}), c.weight)
struct confidence_targets {
  std::vector<float> target, weight;
  index positives = 0;  ///< slots that have a box to predict
};

namespace detail {

template <class T>
void require_predicted(const char* function, anchor_level const& level, matrix_view<T> predicted) {
  const index slots = level.slots();
  if (predicted.rows != slots || predicted.columns != 4)
    fail("%s: predicted is %jd x %jd, must be %jd x 4", function, std::intmax_t(predicted.rows),
         std::intmax_t(predicted.columns), std::intmax_t(slots));
  require_memory(function, "predicted", predicted);
}

/// The highest IoU of each slot's predicted box with a labelled box of its image; 0 where there is none, or where the
/// prediction is not a number.
template <class Format, class T>
std::vector<double> best_overlaps(anchor_level const& level, matrix_view<T> predicted,
                                  std::span<const labelled_box> boxes) {
  const index images = level.images, slots = level.slots_of_image();
  std::vector<std::vector<box<double>>> of_image(static_cast<std::size_t>(images));
  for (labelled_box const& b : boxes)
    of_image[static_cast<std::size_t>(b.image)].push_back(centers_format::corners_of({b.x, b.y, b.width, b.height}));
  std::vector<double> best(static_cast<std::size_t>(level.slots()));
  for (index i = 0; i < level.slots(); ++i) {
    T const* const p = predicted.row(i);
    double four[4];
    for (int c = 0; c < 4; ++c) four[c] = static_cast<double>(static_cast<accumulator_t<T>>(p[c]));
    const box<double> one = Format::corners_of(four);
    double& highest = best[static_cast<std::size_t>(i)];
    for (box<double> const& other : of_image[static_cast<std::size_t>(i / slots)])
      if (const double iou = iou_metric{}(box_pair<double>(one, other)).value; iou > highest) highest = iou;
  }
  return best;
}

}  // namespace detail
}  // namespace hone
