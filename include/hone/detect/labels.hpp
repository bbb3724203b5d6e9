// SPDX-License-Identifier: MIT
/// Conversions between the pixel boxes of mixed images and the labels, in fractions, that are matched with anchors.
#pragma once

#include <hone/detect/anchors.hpp>
#include <hone/loss/box/format_change.hpp>
#include <hone/sample/detections.hpp>

#include <hone/core/macros_push.hpp>

namespace hone::inline HONE_ABI {

namespace detail {

/// Converts four numbers of a box from one format to another.
template <class From, class To>
void change_numbers(double const (&from)[4], double (&to)[4]) {
  static_assert(linear_box_format<From> && linear_box_format<To>,
                "detections: the format must be hone::corners, hone::centers or hone::top_left");
  constexpr axis_map m = numbers_between<From, To>::map;
  for (int axis = 0; axis < 2; ++axis) {
    to[axis] = combined(m.a, from[axis], m.b, from[axis + 2]);
    to[axis + 2] = combined(m.c, from[axis], m.d, from[axis + 2]);
  }
}

}  // namespace detail

/// Returns the labels of a batch of images of width x height pixels, with the scores of mix_detections, or 1:
///
///     const auto boxes = hone::labelled_boxes(hone::mix_detections(draw, of), 640, 480);
///
/// Throws hone::invalid_argument if the detections are inconsistent, or a size is not finite and positive.
template <class T, class Format = corners_format>
std::vector<labelled_box> labelled_boxes(detections<T> const& of, real width, real height, Format = {}) {
  const char* const function = "labelled_boxes";
  detail::require_positive(function, "width", width);
  detail::require_positive(function, "height", height);
  const index images = std::max<index>(static_cast<index>(of.first.size()), 1) - 1;
  detail::require_images_of(function, of, images);
  std::vector<labelled_box> labels;
  labels.reserve(of.classes.size());
  for (index image = 0; image < images; ++image)
    for (auto k = std::size_t(of.first[std::size_t(image)]); k < std::size_t(of.first[std::size_t(image) + 1]); ++k) {
      double four[4], c[4];
      for (std::size_t i = 0; i < 4; ++i) four[i] = static_cast<double>(of.boxes[4 * k + i]);
      detail::change_numbers<Format, centers_format>(four, c);
      labels.push_back({image, of.classes[k], c[0] / width, c[1] / height, c[2] / width, c[3] / height,
                        of.scores.empty() ? 1 : static_cast<double>(of.scores[k])});
    }
  return labels;
}

/// The inverse: returns the labels of `images` images of width x height pixels as detections, in their order per image.
template <class T = float, class Format = corners_format>
detections<T> detections_of(std::span<const labelled_box> labels, integer images, real width, real height,
                            Format = {}) {
  const char* const function = "detections_of";
  detail::require(images >= 0, function, "images", images.value, "at least 0");
  detail::require_positive(function, "width", width);
  detail::require_positive(function, "height", height);
  detail::require_labelled(function, images, labels);
  detections<T> all{{}, {}, {}, {0}};
  std::vector<std::size_t> order(labels.size());
  for (std::size_t i = 0; i < order.size(); ++i) order[i] = i;
  std::sort(order.begin(), order.end(), [&](std::size_t a, std::size_t b) {
    return labels[a].image != labels[b].image ? labels[a].image < labels[b].image : a < b;
  });
  for (const std::size_t i : order) {
    labelled_box const b = detail::in_range(labels[i]);
    while (static_cast<index>(all.first.size()) <= b.image) all.first.push_back(index(all.classes.size()));
    double four[4];
    detail::change_numbers<centers_format, Format>({b.x * width, b.y * height, b.width * width, b.height * height},
                                                   four);
    for (const double x : four) all.boxes.push_back(static_cast<T>(x));
    all.classes.push_back(b.label);
    all.scores.push_back(static_cast<float>(b.score));
  }
  while (static_cast<index>(all.first.size()) <= images) all.first.push_back(index(all.classes.size()));
  return all;
}

}  // namespace hone::inline HONE_ABI

#include <hone/core/macros_pop.hpp>
