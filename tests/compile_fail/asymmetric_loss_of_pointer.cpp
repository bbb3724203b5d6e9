// SPDX-License-Identifier: MIT
// wrong: asymmetric_loss: the targets must be a hone::matrix_view
#include <hone/hone.hpp>

auto asymmetric_loss_of_pointer(const float* targets) {
#ifdef WRONG
  return hone::asymmetric_loss(targets);
#else
  return hone::asymmetric_loss(hone::matrix_view{targets, 8, 10});
#endif
}
