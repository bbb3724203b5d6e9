// SPDX-License-Identifier: MIT
// wrong: box loss: the targets must be a hone::matrix_view or hone::image_view of boxes
#include <hone/hone.hpp>

auto ciou_loss_of_pointer(const float* boxes) {
#ifdef WRONG
  return hone::ciou_loss(boxes);
#else
  return hone::ciou_loss(hone::matrix_view{boxes, 8, 4});
#endif
}
