// SPDX-License-Identifier: MIT
// wrong: box loss: the format must be hone::corners, hone::centers or hone::top_left
#include <hone/hone.hpp>

auto focal_eiou_loss_in_no_format(hone::matrix_view<const float> boxes) {
#ifdef WRONG
  return hone::focal_eiou_loss(boxes, 0.5);
#else
  return hone::focal_eiou_loss(boxes, hone::centers);
#endif
}
