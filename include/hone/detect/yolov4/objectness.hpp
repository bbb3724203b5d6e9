// SPDX-License-Identifier: MIT
/// Targets of darknet's YOLOv4 for objectness (yolo_layer).
#pragma once

#include <hone/detect/confidence.hpp>

#include <hone/core/macros_push.hpp>

namespace hone::inline HONE_ABI::yolov4 {

struct objectness_options {
  real ignore_threshold = 0.5;  ///< in [0, 1]: a slot whose box overlaps more is no background; 0.7 in YOLOv4's own
  real truth_threshold = 1;     ///< in [0, 1]: a slot whose box overlaps more is an object, matched or not; 1: none
  bool smooth = false;          ///< "objectness_smooth": slots above the thresholds are pushed to their IoU
  real class_threshold = 0.25;  ///< of class_scores
  numbers class_scores = {};    ///< the highest class probability of each slot; none: all are above the threshold
  bool darknet_compat = false;  ///< with smooth: matched slots get no target of their own, see below
};

/// The objectness of every slot, by the IoU of its predicted box with the box of its image that it overlaps the most:
///   matched                      target 1, weight the box's score (the last's, of several)
///   else IoU > truth_threshold   target 1; IoU² with `smooth`
///   else IoU > ignore_threshold  weight 0; target IoU with `smooth`. Only where a class is above class_threshold
///   else                         target 0
/// weight 1 where nothing else is said. The IoU is a constant to the loss. `predicted` is slots x 4 in fractions of the
/// image, (cx, cy, w, h) unless a format is given; a prediction that is not a number overlaps nothing.
///
/// A score is what darknet has as a class's multiplier. darknet multiplies by obj_normalizer, which is a factor of the
/// objective here, and sums: hone::sum. With truth_threshold it trains box and classes of such slots too. Its release
/// leaves matched slots as they are, background included, where objectness_smooth is on; darknet_compat does that.
///
/// With a hone::cpu the slots are shared by its threads; the answer has the same bits for every number of them.
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
  const double least_score = threshold("class_threshold", options.class_threshold);
  numbers const scores = options.class_scores;
  if (scores.size() != 0 && scores.size() != level.slots())
    detail::fail("%s: %jd class_scores for %jd slots", function, std::intmax_t(scores.size()),
                 std::intmax_t(level.slots()));

  const auto slots = static_cast<std::size_t>(level.slots());
  confidence_targets c{std::vector<float>(slots, 0), std::vector<float>(slots, 1)};
  detail::each_best_overlap<Format>(backend, level, predicted, boxes, [&](std::size_t i, double iou) {
    if (iou > truth) {
      c.target[i] = static_cast<float>(options.smooth ? iou * iou : 1);
    } else if (iou > ignore && (scores.size() == 0 || scores[index(i)] > least_score)) {
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
/// On the calling thread alone.
template <class T, box_format Format = centers_format>
confidence_targets objectness_targets(anchor_level const& level, matrix_view<T> predicted,
                                      std::span<const labelled_box> boxes, std::span<const anchor_match> matches,
                                      objectness_options options = {}, Format format = {}) {
  return objectness_targets(detail::one_thread(), level, predicted, boxes, matches, options, format);
}

}  // namespace hone::inline HONE_ABI::yolov4

#include <hone/core/macros_pop.hpp>
