// SPDX-License-Identifier: MIT
/// Targets and weights of confidence losses per slot, and the largest overlap of its predicted box with a labelled box.
#pragma once

#include <hone/core/view.hpp>
#include <hone/core/view_check.hpp>
#include <hone/detect/anchors.hpp>
#include <hone/loss/box/iou.hpp>

#include <hone/core/macros_push.hpp>

namespace hone::inline HONE_ABI {

/// A target and a weight per slot, for a loss of n x 1 logits:
///
///     hone::weigh_rows(hone::binary_cross_entropy(hone::matrix_view{c.target.data(), n, 1}), c.weight)
struct confidence_targets {
  std::vector<float> target, weight;
  index positives = 0;  ///< number of matched slots; a slot with several boxes counts once
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

/// A backend stand-in: runs the pieces of a job one after the other.
struct one_thread {};
template <class Body>
void for_pieces(one_thread, index pieces, Body const& body) {
  for (index i = 0; i < pieces; ++i) body(i);
}

/// Returns I/U of two boxes, at most 1. It is above a threshold if and only if the double nearest to I/U is.
inline double quotient_of_areas(box<double> const& a, box<double> const& b) noexcept {
  const double x = min(a.x2, b.x2) - max(a.x1, b.x1), y = min(a.y2, b.y2) - max(a.y1, b.y1);
  if (!(min(x, y) > 0)) return 0;  // one comparison, because most boxes do not overlap
  const double both = x * y;
  return min(both / max((a.x2 - a.x1) * (a.y2 - a.y1) + ((b.x2 - b.x1) * (b.y2 - b.y1) - both), smallest_area), 1.0);
}

/// Calls take(slot, iou) for every slot, on the threads of the backend. iou is the largest IoU of its predicted box
/// with a labelled box of its image, or 0 if there is none or the prediction is NaN.
template <class Format, class Backend, class T, class Take>
void each_best_overlap(Backend const& backend, anchor_level const& level, matrix_view<T> predicted,
                       std::span<const labelled_box> boxes, Take const& take) {
  constexpr index per_piece = 2048;
  const index slots = level.slots(), of_one_image = level.slots_of_image();
  std::vector<std::vector<box<double>>> of_image(static_cast<std::size_t>(level.images));
  for (labelled_box const& label : boxes) {
    labelled_box const b = in_range(label);
    of_image[static_cast<std::size_t>(b.image)].push_back(centers_format::corners_of({b.x, b.y, b.width, b.height}));
  }
  for_pieces(backend, slots / per_piece + (slots % per_piece != 0), [&](index piece) {
    for (index i = piece * per_piece, end = std::min(i + per_piece, slots); i < end; ++i) {
      T const* const p = predicted.row(i);
      double four[4];
      for (int c = 0; c < 4; ++c) four[c] = static_cast<double>(static_cast<accumulator_t<T>>(p[c]));
      const box<double> one = Format::corners_of(four);
      double highest = 0;
      for (box<double> const& other : of_image[static_cast<std::size_t>(i / of_one_image)])
        highest = max(highest, quotient_of_areas(one, other));
      take(static_cast<std::size_t>(i), highest);
    }
  });
}

}  // namespace detail
}  // namespace hone::inline HONE_ABI

#include <hone/core/macros_pop.hpp>
