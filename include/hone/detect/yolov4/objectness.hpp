// SPDX-License-Identifier: MIT
/// The objectness targets of darknet's YOLOv4 (yolo_layer).
#pragma once

#include <hone/detect/confidence.hpp>

#include <hone/core/macros_push.hpp>

namespace hone::inline HONE_ABI::yolov4 {

struct objectness_options {
  real ignore_threshold = 0.5;  ///< in [0, 1]: a slot with a larger IoU is no background; 0.7 in YOLOv4
  real truth_threshold = 1;     ///< in [0, 1]: a slot with a larger IoU is an object, matched or not; 1: none
  bool smooth = false;          ///< "objectness_smooth": the target of slots above a threshold depends on their IoU
  real class_threshold = 0.25;  ///< in [0, 1]: threshold of class_scores
  numbers class_scores = {};    ///< the largest class probability per slot; if empty, all are above class_threshold
  bool darknet_compat = false;  ///< with smooth: matches do not change targets and weights, see below
};

/// Returns the objectness targets per slot. IoU is the largest IoU of its prediction with a labelled box of its image:
///   matched                      target 1, weight the box's score (of several boxes, the last)
///   else IoU > truth_threshold   target 1; IoU² with `smooth`
///   else IoU > ignore_threshold  weight 0; with `smooth`, target IoU. Only if a class score is above class_threshold
///   else                         target 0
/// The weight is 1 unless stated. The IoU is a constant of the loss. `predicted` is slots x 4 in fractions of the
/// image, (cx, cy, w, h) unless a format is given; a NaN prediction has IoU 0.
///
/// A score is darknet's multiplier of a class. darknet multiplies by obj_normalizer, here a factor of the objective,
/// and sums: hone::sum. With truth_threshold, darknet also trains box and classes of such slots. Its release leaves
/// matched slots unchanged, even background, if objectness_smooth is on; darknet_compat does the same.
///
/// A hone::cpu distributes the slots over its threads; the result has the same bits for every number of threads.
template <class Backend, class T, box_format Format = centers_format>
confidence_targets objectness_targets(Backend const& backend, anchor_level const& level, matrix_view<T> predicted,
                                      std::span<const labelled_box> boxes, std::span<const anchor_match> matches,
                                      objectness_options options = {}, Format = {}) {
  const char* const function = "yolov4::objectness_targets";
  detail::require_level(function, level);
  detail::require_predicted(function, level, predicted);
  detail::require_labelled(function, level, boxes);
  detail::require_matches(function, level, boxes.size(), matches);
  const auto threshold = [&](const char* name, double x) {
    detail::require(x >= 0 && x <= 1, function, name, x, "in [0, 1]");
    return x;
  };
  const double ignore = threshold("ignore_threshold", options.ignore_threshold);
  const double truth = threshold("truth_threshold", options.truth_threshold);
  const double min_score = threshold("class_threshold", options.class_threshold);
  numbers const scores = options.class_scores;
  if (scores.size() != 0 && scores.size() != level.slots())
    detail::fail("%s: %jd class_scores for %jd slots", function, std::intmax_t(scores.size()),
                 std::intmax_t(level.slots()));

  const auto slots = static_cast<std::size_t>(level.slots());
  confidence_targets c{std::vector<float>(slots, 0), std::vector<float>(slots, 1)};
  detail::each_best_overlap<Format>(backend, level, predicted, boxes, [&](std::size_t i, double iou) {
    if (iou > truth) {
      c.target[i] = static_cast<float>(options.smooth ? iou * iou : 1);
    } else if (iou > ignore && (scores.size() == 0 || scores[index(i)] > min_score)) {
      if (options.smooth)
        c.target[i] = static_cast<float>(iou);
      else
        c.weight[i] = 0;
    }
  });
  std::vector<bool> matched(slots);
  for (anchor_match const& m : matches) {
    const auto i = static_cast<std::size_t>(m.slot);
    c.positives += !matched[i];
    matched[i] = true;
    if (options.smooth && options.darknet_compat) continue;
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

}  // namespace hone::inline HONE_ABI::yolov4

#include <hone/core/macros_pop.hpp>
