// SPDX-License-Identifier: MIT
// wrong: convert_boxes: the formats must be hone::corners, hone::centers or hone::top_left
#include <hone/hone.cuh>

void convert_boxes_to_no_format(hone::cuda& gpu, hone::matrix_view<float> boxes) {
#ifdef WRONG
  hone::convert_boxes(gpu, boxes, hone::corners, boxes, 4);
#else
  hone::convert_boxes(gpu, boxes, hone::corners, boxes, hone::top_left);
#endif
}
