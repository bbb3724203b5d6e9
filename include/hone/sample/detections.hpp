// SPDX-License-Identifier: MIT
/// Labels of mixed images in detection: the boxes of both images.
#pragma once

#include <hone/sample/blend.hpp>

#include <span>
#include <vector>

#include <hone/core/macros_push.hpp>

namespace hone::inline HONE_ABI {

/// The boxes of a batch of images, image by image: image i has boxes [first[i], first[i + 1]), so that `first` has one
/// entry more than there are images. T is float or double; boxes are corners or centers, in pixels.
template <class T>
struct detections {
  std::vector<T> boxes;        ///< 4 numbers each
  std::vector<index> classes;  ///< one per box
  std::vector<float> scores;   ///< one per box; if empty, all are 1
  std::vector<index> first;
};

namespace detail {

/// Checks a list of the boxes of `images` images.
template <class T>
void require_images_of(const char* function, detections<T> const& of, index images) {
  const auto count = static_cast<index>(of.classes.size());
  if (of.boxes.size() != 4 * of.classes.size() || (!of.scores.empty() && of.scores.size() != of.classes.size()))
    fail("%s: %zu numbers of boxes and %zu scores for %zu classes, must be 4 and 1 (or none) each", function,
         of.boxes.size(), of.scores.size(), of.classes.size());
  bool ordered = static_cast<index>(of.first.size()) == images + 1 && of.first.front() == 0 && of.first.back() == count;
  for (std::size_t i = 1; ordered && i < of.first.size(); ++i) ordered = of.first[i - 1] <= of.first[i];
  if (!ordered)
    fail("%s: first must be %jd numbers that rise from 0 to the %jd boxes", function, std::intmax_t(images + 1),
         std::intmax_t(count));
}

}  // namespace detail

/// Returns for every image its own boxes with scores · λ and those of its partner with scores · (1-λ). PP-YOLO
/// multiplies its objectness and box losses by these (Zhang et al. 2019, arXiv 1902.04103; YOLOv5 uses 1 for both).
/// Boxes of score 0 are dropped. An image that is its own partner keeps its boxes. All images have the same size.
/// Throws hone::invalid_argument if the draw or a size in `of` is invalid.
template <class T>
detections<T> mix_detections(mixup_draw const& draw, detections<T> const& of) {
  constexpr const char* function = "mix_detections";
  const auto n = static_cast<index>(draw.lambda.size());
  detail::require_draw(function, draw, n);
  detail::require_images_of(function, of, n);

  detections<T> mixed{{}, {}, {}, {0}};
  const auto add = [&](index image, float weight) {
    for (auto k = std::size_t(of.first[std::size_t(image)]); k < std::size_t(of.first[std::size_t(image) + 1]); ++k) {
      const float score = weight * (of.scores.empty() ? 1 : of.scores[k]);
      if (!(score > 0)) continue;
      mixed.boxes.insert(mixed.boxes.end(),
                         {of.boxes[4 * k], of.boxes[4 * k + 1], of.boxes[4 * k + 2], of.boxes[4 * k + 3]});
      mixed.classes.push_back(of.classes[k]);
      mixed.scores.push_back(score);
    }
  };
  for (index i = 0; i < n; ++i) {
    const index partner = draw.partner[std::size_t(i)];
    const float lambda = partner == i ? 1 : draw.lambda[std::size_t(i)];
    add(i, lambda);
    add(partner, 1 - lambda);
    mixed.first.push_back(static_cast<index>(mixed.classes.size()));
  }
  return mixed;
}

}  // namespace hone::inline HONE_ABI

#include <hone/core/macros_pop.hpp>
