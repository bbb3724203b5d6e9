// SPDX-License-Identifier: MIT
// wrong: nms: the images must be a std::vector or std::span of integers
#include <hone/hone.hpp>

#include <vector>

auto batched_nms_of_fractional_images(const hone::cpu& cpu, hone::matrix_view<const float> boxes,
                                      const std::vector<float>& scores, const std::vector<short>& classes) {
#ifdef WRONG
  return hone::batched_nms(cpu, boxes, scores, classes, scores);
#else
  return hone::batched_nms(cpu, boxes, scores, classes, classes);
#endif
}
