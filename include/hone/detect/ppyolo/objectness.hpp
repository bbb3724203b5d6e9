// SPDX-License-Identifier: MIT
/// PP-YOLO's targets of objectness and of the IoU that it predicts (Long et al. 2020, arXiv 2007.12099;
/// PaddleDetection's yolo_loss.py and iou_aware_loss.py).
#pragma once

#include <hone/detect/confidence.hpp>

#include <hone/core/macros_push.hpp>

namespace hone::inline HONE_ABI::ppyolo {

struct objectness_options {
  real ignore_threshold = 0.7;  ///< in [0, 1]: a slot without a box whose prediction overlaps more counts for nothing
};

/// The objectness of every slot, by the IoU of its predicted box with the box of its image that it overlaps the most:
///   matched                      target 1, weight the box's score
///   else IoU > ignore_threshold  weight 0
///   else                         target 0, weight 1
/// The score is λ or 1-λ where two images are mixed, 1 otherwise. PaddleDetection sums over the slots and averages over
/// the images: hone::mean_over(images). `predicted` is slots x 4 in fractions of the image, (cx, cy, w, h) unless a
/// format is given; a prediction that is not a number overlaps nothing.
///
/// With a hone::cpu the slots are shared by its threads; the answer has the same bits for every number of them.
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

/// On the calling thread alone.
template <class T, box_format Format = centers_format>
confidence_targets objectness_targets(anchor_level const& level, matrix_view<T> predicted,
                                      std::span<const labelled_box> boxes, std::span<const anchor_match> matches,
                                      objectness_options options = {}, Format format = {}) {
  return objectness_targets(detail::one_thread(), level, predicted, boxes, matches, options, format);
}

/// What the IoU that a slot predicts is held against (IoU-aware, Wu et al. 2020, arXiv 1912.05992): the IoU of each
/// match's predicted box and its target, as a constant; weight the box's score where there is a match, 0 elsewhere.
/// 1 minus the losses that hone::iou_loss leaves in `unreduced` are these IoUs; NaN stays NaN.
inline confidence_targets iou_targets(anchor_level const& level, std::span<const labelled_box> boxes,
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
