// SPDX-License-Identifier: MIT
// wrong: quality_focal_loss: the targets must be a hone::matrix_view
#include <hone/hone.hpp>

auto quality_focal_loss_of_pointer(const float* targets) {
#ifdef WRONG
  return hone::quality_focal_loss(targets);
#else
  return hone::quality_focal_loss(hone::matrix_view{targets, 8, 10});
#endif
}
