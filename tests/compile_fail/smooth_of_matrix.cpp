// SPDX-License-Identifier: MIT
// wrong: smooth: the argument must be a target: wrap labels in hone::classes, a matrix in hone::probabilities
#include <hone/hone.hpp>

auto smooth_of_matrix(hone::matrix_view<const float> targets) {
#ifdef WRONG
  return hone::smooth(targets, 0.1);
#else
  return hone::smooth(hone::probabilities(targets), 0.1);
#endif
}
