// SPDX-License-Identifier: MIT
// wrong: varifocal_loss: the targets must be a hone::matrix_view
#include <hone/hone.hpp>

auto varifocal_loss_of_pointer(const float* targets) {
#ifdef WRONG
  return hone::varifocal_loss(targets);
#else
  return hone::varifocal_loss(hone::matrix_view{targets, 8, 10});
#endif
}
