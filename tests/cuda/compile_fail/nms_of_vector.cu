// SPDX-License-Identifier: MIT
// wrong: nms: the boxes must be a hone::matrix_view of float, double, or a 16-bit floating-point type
#include <hone/hone.cuh>

#include <span>

void nms_of_vector(hone::cuda& gpu, std::span<const float> boxes, std::span<const float> scores, hone::index* kept,
                   hone::index* count) {
#ifdef WRONG
  hone::nms(gpu, boxes, scores, kept, count);
#else
  hone::nms(gpu, hone::matrix_view{boxes.data(), scores.size(), 4}, scores, kept, count);
#endif
}
