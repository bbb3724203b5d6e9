// SPDX-License-Identifier: MIT
/// The box loss of ultralytics: bbox_iou(CIoU=True) on corners, as in its BboxLoss.
#pragma once

#include <hone/parity/boxes/epsilon.hpp>

#include <hone/core/macros_push.hpp>

namespace hone::inline HONE_ABI::parity {

/// With ε = 1e-7 added to both heights, in the areas too, and then to U and c²:
///   IoU - ρ²/c² - α v,   α = v / (v - IoU + (1 + ε)), without gradient
struct ultralytics_ciou_metric {
  template <operand V, class Format>
  HONE_HD HONE_INLINE box_metric<V> operator()(box_pair<V, Format> b) const noexcept {
    constexpr double eps = 1e-7;
    b.y.side = b.y.side + V(eps), b.y.target = b.y.target + V(eps);
    b.measure(V(detail::smallest_area));
    return epsilon_ciou_metric{.eps = eps, .of_alpha = eps}(b);
  }
};

/// Loss 1 - CIoU of ultralytics. With hone::centers it also gives the result of bbox_iou(xywh=False) on the corners;
/// bbox_iou(xywh=True) adds nothing to the heights, and is NaN for boxes without sides.
template <class Boxes, class Format = corners_format>
auto ultralytics_ciou_loss(Boxes boxes, Format format = {}) {
  return detail::box_loss(one_minus<ultralytics_ciou_metric>{}, format, boxes);
}

}  // namespace hone::inline HONE_ABI::parity

#include <hone/core/macros_pop.hpp>
