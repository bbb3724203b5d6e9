// SPDX-License-Identifier: MIT
// wrong: box loss: the format must be hone::corners, hone::centers or hone::top_left
#include <hone/hone.hpp>

auto ciou_loss_in_no_format(hone::matrix_view<const float> boxes) {
#ifdef WRONG
  return hone::ciou_loss(boxes, "xywh");
#else
  return hone::ciou_loss(boxes, hone::centers);
#endif
}
