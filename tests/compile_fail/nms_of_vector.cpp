// SPDX-License-Identifier: MIT
// wrong: nms: the boxes must be a hone::matrix_view of float, double, or a 16-bit floating-point type
#include <hone/hone.hpp>

#include <vector>

auto nms_of_vector(const hone::cpu& cpu, const std::vector<float>& boxes, const std::vector<float>& scores) {
#ifdef WRONG
  return hone::nms(cpu, boxes, scores);
#else
  return hone::nms(cpu, hone::matrix_view{boxes.data(), scores.size(), 4}, scores);
#endif
}
