// SPDX-License-Identifier: MIT
// wrong: aligned: the format must be hone::corners, hone::centers or hone::top_left
#include <hone/hone.cuh>

void aligned_iou_in_no_format(hone::cuda& gpu, hone::matrix_view<float> a, hone::matrix_view<float> out) {
#ifdef WRONG
  hone::aligned_iou(gpu, a, a, out, "xywh");
#else
  hone::aligned_iou(gpu, a, a, out, hone::centers);
#endif
}
