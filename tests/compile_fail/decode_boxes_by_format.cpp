// SPDX-License-Identifier: MIT
// wrong: decode_boxes: the decoding must be one, such as hone::yolov5::decoding
#include <hone/hone.hpp>

void decode_boxes_by_format(const hone::cpu& cpu, const hone::anchor_level& level, hone::matrix_view<const float> raw,
                            hone::matrix_view<float> boxes) {
#ifdef WRONG
  hone::decode_boxes(cpu, hone::centers, level, raw, boxes);
#else
  hone::decode_boxes(cpu, hone::yolov5::decoding(), level, raw, boxes);
#endif
}
