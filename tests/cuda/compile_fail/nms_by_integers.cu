// SPDX-License-Identifier: MIT
// wrong: nms: the scores must be a std::vector or std::span of float or double
#include <hone/hone.cuh>

#include <span>

void nms_by_integers(hone::cuda& gpu, hone::matrix_view<const float> boxes, std::span<const float> scores,
                     std::span<const int> ranks, hone::index* kept, hone::index* count) {
#ifdef WRONG
  hone::diou_nms(gpu, boxes, ranks, kept, count);
#else
  hone::batched_diou_nms(gpu, boxes, scores, ranks, kept, count);
#endif
}
