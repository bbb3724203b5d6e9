// SPDX-License-Identifier: MIT
// wrong: nms: the images must be a std::vector or std::span of integers
#include <hone/hone.cuh>

#include <span>

void batched_nms_of_fractional_images(hone::cuda& gpu, hone::matrix_view<const float> boxes,
                                      std::span<const float> scores, std::span<const short> classes, hone::index* kept,
                                      hone::index* count) {
#ifdef WRONG
  hone::batched_nms(gpu, boxes, scores, classes, scores, kept, count);
#else
  hone::batched_nms(gpu, boxes, scores, classes, classes, kept, count);
#endif
}
