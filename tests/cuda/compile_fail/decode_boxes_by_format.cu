// SPDX-License-Identifier: MIT
// wrong: decode_boxes: the decoding must be one, such as hone::yolov5::decoding
#include <hone/hone.cuh>

void decode_boxes_by_format(hone::cuda& gpu, const hone::anchor_level& level, hone::matrix_view<const float> raw,
                            hone::matrix_view<float> boxes) {
#ifdef WRONG
  hone::decode_boxes(gpu, hone::centers, level, raw, boxes);
#else
  hone::decode_boxes(gpu, hone::yolov5::decoding(), level, raw, boxes);
#endif
}
