// SPDX-License-Identifier: MIT
// wrong: evaluate: a sum may hold row terms .*, element-wise terms .* or box losses .*, not two of these
#include <hone/hone.hpp>

double boxes_plus_elements(hone::cpu& cpu, hone::matrix_view<const float> boxes,
                           hone::matrix_view<const float> predicted) {
#ifdef WRONG
  return hone::evaluate(cpu, hone::giou_loss(boxes) + hone::binary_cross_entropy(boxes), predicted);
#else
  return hone::evaluate(cpu, hone::giou_loss(boxes) + hone::siou_loss(boxes), predicted);
#endif
}
