// SPDX-License-Identifier: MIT
/// The box losses of PaddleDetection that differ from hone's: IouLoss squares every metric, and DIouLoss adds eps to ρ²
/// too. For the factor loss_weight, write `2.5 * loss`. GIoULoss and SIoULoss equal hone's giou_loss and siou_loss
/// except for 1e-10 (and SIoULoss is NaN if the centres coincide).
#pragma once

#include <hone/parity/boxes/epsilon.hpp>

#include <hone/core/macros_push.hpp>

namespace hone::inline HONE_ABI::parity {

/// IouLoss(giou=True) with its default loss_square=True, without its loss_weight of 2.5:
///   1 - GIoU²
/// ε = 1e-9 is added to U and C. If GIoU is below 0, the loss decreases as the boxes move apart.
template <class Boxes, class Format = corners_format>
auto paddle_squared_giou_loss(Boxes boxes, Format format = {}) {
  return detail::box_loss(one_minus_square<epsilon_giou_metric>{{1e-9}}, format, boxes);
}
/// IouLoss(diou=True): 1 - DIoU², with ε = 1e-9 added to U and c².
template <class Boxes, class Format = corners_format>
auto paddle_squared_diou_loss(Boxes boxes, Format format = {}) {
  return detail::box_loss(one_minus_square<epsilon_diou_metric>{{1e-9}}, format, boxes);
}
/// IouLoss(ciou=True): 1 - CIoU², with ε = 1e-9 added to U, c², the heights in v and α's divisor.
template <class Boxes, class Format = corners_format>
auto paddle_squared_ciou_loss(Boxes boxes, Format format = {}) {
  constexpr double eps = 1e-9;
  return detail::box_loss(one_minus_square<epsilon_ciou_metric>{{.eps = eps, .of_height = eps, .of_alpha = eps}},
                          format, boxes);
}

struct paddle_options {
  real eps = 1e-10;  ///< in [0, 1]
};

/// DIouLoss(use_complete_iou_loss=False). The loss of two equal points is 2; in hone it is 1.
///   1 - I / (U + eps) + (ρ² + eps) / (c² + eps)
template <class Boxes, class Format = corners_format>
auto paddle_diou_loss(Boxes boxes, paddle_options options = {}, Format format = {}) {
  const double eps = detail::epsilon_of("paddle_diou_loss", options.eps);
  return detail::box_loss(one_minus<epsilon_diou_metric>{{.eps = eps, .of_distance = eps}}, format, boxes);
}
template <class Boxes, class Format>
auto paddle_diou_loss(Boxes boxes, Format format) {
  return parity::paddle_diou_loss(boxes, paddle_options(), format);
}
/// DIouLoss with its default use_complete_iou_loss=True, which is CIoU.
///   paddle_diou_loss + α v,   α = v / (1 - IoU + v + eps), without gradient
/// PaddleDetection's gradient is NaN if a box has no height; here it is finite.
template <class Boxes, class Format = corners_format>
auto paddle_ciou_loss(Boxes boxes, paddle_options options = {}, Format format = {}) {
  const double eps = detail::epsilon_of("paddle_ciou_loss", options.eps);
  return detail::box_loss(one_minus<epsilon_ciou_metric>{{.eps = eps, .of_distance = eps, .of_alpha = eps}}, format,
                          boxes);
}
template <class Boxes, class Format>
auto paddle_ciou_loss(Boxes boxes, Format format) {
  return parity::paddle_ciou_loss(boxes, paddle_options(), format);
}

}  // namespace hone::inline HONE_ABI::parity

#include <hone/core/macros_pop.hpp>
