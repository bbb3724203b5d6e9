// SPDX-License-Identifier: MIT
// wrong: pairwise: boxes consist of floating-point numbers or integers
#include <hone/hone.hpp>

void pairwise_iou_of_flags(const hone::cpu& cpu, hone::matrix_view<const bool> flags,
                           hone::matrix_view<const float> boxes, float* out) {
#ifdef WRONG
  hone::pairwise_iou(cpu, flags, flags, {out, 1, 1});
#else
  hone::pairwise_iou(cpu, boxes, boxes, {out, 1, 1});
#endif
  (void)flags, (void)boxes;
}
