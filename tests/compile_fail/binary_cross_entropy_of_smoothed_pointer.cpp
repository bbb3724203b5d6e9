// SPDX-License-Identifier: MIT
// wrong: binary_cross_entropy: the targets must be a hone::matrix_view
#include <hone/hone.hpp>

auto binary_cross_entropy_of_smoothed_pointer(const float* targets) {
#ifdef WRONG
  return hone::binary_cross_entropy(targets, hone::smooth_binary(0.1));
#else
  return hone::binary_cross_entropy(hone::matrix_view{targets, 8, 10}, hone::smooth_binary(0.1));
#endif
}
