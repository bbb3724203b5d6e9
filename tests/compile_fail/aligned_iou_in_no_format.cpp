// SPDX-License-Identifier: MIT
// wrong: aligned: the format must be hone::corners, hone::centers or hone::top_left
#include <hone/hone.hpp>

void aligned_iou_in_no_format(hone::matrix_view<float> a, hone::matrix_view<float> out) {
#ifdef WRONG
  hone::aligned_iou(hone::cpu(), a, a, out, 4);
#else
  hone::aligned_iou(hone::cpu(), a, a, out, hone::centers);
#endif
}
