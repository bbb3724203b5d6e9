// SPDX-License-Identifier: MIT
/// PP-YOLO's targets of objectness and of the predicted IoU (Long et al. 2020, arXiv 2007.12099; yolo_loss.py and
/// iou_aware_loss.py of PaddleDetection).
#pragma once

#include <hone/detect/confidence.hpp>

#include <hone/core/macros_push.hpp>

namespace hone::inline HONE_ABI::ppyolo {

struct objectness_options {
  real ignore_threshold = 0.7;  ///< in [0, 1]: an unmatched slot whose prediction overlaps more has weight 0
};

/// Returns the objectness targets per slot. IoU is the largest IoU of its prediction with a labelled box of its image:
///   matched                      target 1, weight the box's score
///   else IoU > ignore_threshold  weight 0
///   else                         target 0, weight 1
/// The score is λ or 1-λ if two images are mixed, 1 otherwise. PaddleDetection sums over the slots and averages over
/// the images: hone::mean_over(images). `predicted` is slots x 4 in fractions of the image, (cx, cy, w, h) unless a
/// format is given; a NaN prediction has IoU 0. Throws hone::invalid_argument if an argument does not fit.
///
/// A hone::cpu distributes the slots over its threads; the result has the same bits for every number of threads.
template <class Backend, class T, box_format Format = centers_format>
confidence_targets objectness_targets(Backend const& backend, anchor_level const& level, matrix_view<T> predicted,
                                      std::span<const labelled_box> boxes, std::span<const anchor_match> matches,
                                      objectness_options options = {}, Format = {}) {
  const char* const function = "ppyolo::objectness_targets";
  detail::require_level(function, level);
  detail::require_predicted(function, level, predicted);
  detail::require_labelled(function, level, boxes);
  detail::require_matches(function, level, boxes.size(), matches);
  const double ignore = options.ignore_threshold;
  detail::require(ignore >= 0 && ignore <= 1, function, "ignore_threshold", ignore, "in [0, 1]");

  const auto slots = static_cast<std::size_t>(level.slots());
  confidence_targets c{std::vector<float>(slots, 0), std::vector<float>(slots, 1)};
  detail::each_best_overlap<Format>(backend, level, predicted, boxes,
                                    [&](std::size_t i, double iou) { c.weight[i] = iou > ignore ? 0.0f : 1.0f; });
  for (anchor_match const& m : matches) {
    const auto i = static_cast<std::size_t>(m.slot);
    c.positives += c.target[i] == 0;
    c.target[i] = 1;
    c.weight[i] = static_cast<float>(boxes[static_cast<std::size_t>(m.box)].score);
  }
  return c;
}

/// The same on the calling thread only.
template <class T, box_format Format = centers_format>
confidence_targets objectness_targets(anchor_level const& level, matrix_view<T> predicted,
                                      std::span<const labelled_box> boxes, std::span<const anchor_match> matches,
                                      objectness_options options = {}, Format format = {}) {
  return objectness_targets(detail::one_thread(), level, predicted, boxes, matches, options, format);
}

/// Returns the targets of the IoU that a slot predicts (IoU-aware, Wu et al. 2020, arXiv 1912.05992): the IoU of each
/// match's prediction with its box, as a constant; weight: the box's score, or 0 for an unmatched slot. `ious` has one
/// IoU per match, 1 minus the loss that hone::iou_loss writes to `unreduced`; NaN stays NaN.
HONE_IF_CALLED
confidence_targets iou_targets(anchor_level const& level, std::span<const labelled_box> boxes,
                               std::span<const anchor_match> matches, numbers ious) {
  const char* const function = "ppyolo::iou_targets";
  detail::require_level(function, level);
  detail::require_labelled(function, level, boxes);
  detail::require_matches(function, level, boxes.size(), matches);
  detail::require_ious(function, ious, matches);
  const auto slots = static_cast<std::size_t>(level.slots());
  confidence_targets c{std::vector<float>(slots, 0), std::vector<float>(slots, 0)};
  std::vector<bool> matched(slots);
  for (std::size_t k = 0; k < matches.size(); ++k) {
    const auto i = static_cast<std::size_t>(matches[k].slot);
    c.positives += !matched[i];
    matched[i] = true;
    c.target[i] = static_cast<float>(ious[index(k)]);
    c.weight[i] = static_cast<float>(boxes[static_cast<std::size_t>(matches[k].box)].score);
  }
  return c;
}

}  // namespace hone::inline HONE_ABI::ppyolo

#include <hone/core/macros_pop.hpp>
