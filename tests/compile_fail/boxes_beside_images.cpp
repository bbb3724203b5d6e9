// SPDX-License-Identifier: MIT
// wrong: evaluate: boxes and prediction must both be hone::matrix_view or both hone::image_view
#include <hone/hone.hpp>

double boxes_beside_images(hone::cpu& cpu, hone::image_view<const float> boxes, hone::matrix_view<const float> rows,
                           hone::image_view<const float> images) {
#ifdef WRONG
  static_cast<void>(images);
  return hone::evaluate(cpu, hone::iou_loss(boxes), rows);
#else
  return hone::evaluate(cpu, hone::iou_loss(rows), rows) + hone::evaluate(cpu, hone::iou_loss(boxes), images);
#endif
}
