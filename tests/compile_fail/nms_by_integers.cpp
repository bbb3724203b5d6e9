// SPDX-License-Identifier: MIT
// wrong: nms: the scores must be a std::vector or std::span of float or double
#include <hone/hone.hpp>

#include <vector>

auto nms_by_integers(const hone::cpu& cpu, hone::matrix_view<const float> boxes, const std::vector<float>& scores,
                     const std::vector<int>& ranks) {
#ifdef WRONG
  return hone::diou_nms(cpu, boxes, ranks);
#else
  return hone::batched_diou_nms(cpu, boxes, scores, ranks);
#endif
}
