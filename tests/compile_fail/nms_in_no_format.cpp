// SPDX-License-Identifier: MIT
// wrong: nms: the format must be hone::corners, hone::centers or hone::top_left
#include <hone/hone.hpp>

#include <vector>

auto nms_in_no_format(const hone::cpu& cpu, hone::matrix_view<const float> boxes, const std::vector<float>& scores) {
#ifdef WRONG
  return hone::nms(cpu, boxes, scores, {.threshold = 0.5}, "xywh");
#else
  return hone::nms(cpu, boxes, scores, {.threshold = 0.5}, hone::centers);
#endif
}
