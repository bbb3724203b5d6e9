// SPDX-License-Identifier: MIT
// wrong: evaluate: boxes and prediction must both be hone::matrix_view or both hone::image_view
#include <hone/hone.hpp>

double boxes_beside_images(hone::cpu& cpu, hone::image_view<const float> images, hone::matrix_view<const float> rows) {
#ifdef WRONG
  return hone::evaluate(cpu, hone::iou_loss(images), rows);
#else
  static_cast<void>(images);
  return hone::evaluate(cpu, hone::iou_loss(rows), rows);
#endif
}
