// SPDX-License-Identifier: MIT
// wrong: nms: the format must be hone::corners, hone::centers or hone::top_left
#include <hone/hone.cuh>

#include <span>

void nms_in_no_format(hone::cuda& gpu, hone::matrix_view<const float> boxes, std::span<const float> scores,
                      hone::index* kept, hone::index* count) {
#ifdef WRONG
  hone::nms(gpu, boxes, scores, kept, count, {.threshold = 0.5}, "xywh");
#else
  hone::nms(gpu, boxes, scores, kept, count, {.threshold = 0.5}, hone::centers);
#endif
}
