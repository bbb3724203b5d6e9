// SPDX-License-Identifier: MIT
/// The box losses of torchvision: eps is added to U and to C or c².
#pragma once

#include <hone/parity/boxes/epsilon.hpp>

#include <hone/core/macros_push.hpp>

namespace hone::inline HONE_ABI::parity {

struct torchvision_options {
  real eps = 1e-7;  ///< in [0, 1]
};

/// torchvision.ops.generalized_box_iou_loss
///   1 - I / (U + eps) + (C - U) / (C + eps)
template <class Boxes, class Format = corners_format>
auto torchvision_giou_loss(Boxes boxes, torchvision_options options = {}, Format format = {}) {
  const double eps = detail::epsilon_of("torchvision_giou_loss", options.eps);
  return detail::box_loss(one_minus<epsilon_giou_metric>{{eps}}, format, boxes);
}
template <class Boxes, class Format>
auto torchvision_giou_loss(Boxes boxes, Format format) {
  return parity::torchvision_giou_loss(boxes, torchvision_options(), format);
}
/// torchvision.ops.distance_box_iou_loss
///   1 - I / (U + eps) + ρ² / (c² + eps)
template <class Boxes, class Format = corners_format>
auto torchvision_diou_loss(Boxes boxes, torchvision_options options = {}, Format format = {}) {
  const double eps = detail::epsilon_of("torchvision_diou_loss", options.eps);
  return detail::box_loss(one_minus<epsilon_diou_metric>{eps}, format, boxes);
}
template <class Boxes, class Format>
auto torchvision_diou_loss(Boxes boxes, Format format) {
  return parity::torchvision_diou_loss(boxes, torchvision_options(), format);
}
/// torchvision.ops.complete_box_iou_loss, which does not pass eps on: 1e-7 is added to U and c² for every eps.
///   1 - I / (U + 1e-7) + ρ² / (c² + 1e-7) + α v,   α = v / (1 - IoU + v + eps)
/// torchvision's gradient is NaN if a box has no height, and its value is NaN if a box has no sides; here v is 0 if a
/// box is a point, and value and gradient are finite.
template <class Boxes, class Format = corners_format>
auto torchvision_ciou_loss(Boxes boxes, torchvision_options options = {}, Format format = {}) {
  const double eps = detail::epsilon_of("torchvision_ciou_loss", options.eps);
  return detail::box_loss(one_minus<epsilon_ciou_metric>{{.eps = 1e-7, .of_alpha = eps}}, format, boxes);
}
template <class Boxes, class Format>
auto torchvision_ciou_loss(Boxes boxes, Format format) {
  return parity::torchvision_ciou_loss(boxes, torchvision_options(), format);
}

}  // namespace hone::inline HONE_ABI::parity

#include <hone/core/macros_pop.hpp>
