// SPDX-License-Identifier: MIT
// wrong: convert_boxes: the formats must be hone::corners, hone::centers or hone::top_left
#include <hone/hone.hpp>

void convert_boxes_to_no_format(const hone::cpu& cpu, hone::matrix_view<float> boxes) {
#ifdef WRONG
  hone::convert_boxes(cpu, boxes, hone::corners, boxes, 4);
#else
  hone::convert_boxes(cpu, boxes, hone::corners, boxes, hone::top_left);
#endif
}
