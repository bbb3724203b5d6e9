// SPDX-License-Identifier: MIT
// wrong: poly1_binary_cross_entropy: the targets must be a hone::matrix_view
#include <hone/hone.hpp>

auto poly1_binary_cross_entropy_of_pointer(const float* targets) {
#ifdef WRONG
  return hone::poly1_binary_cross_entropy(targets);
#else
  return hone::poly1_binary_cross_entropy(hone::matrix_view{targets, 8, 10});
#endif
}
