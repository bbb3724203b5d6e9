// SPDX-License-Identifier: MIT
// wrong: hone::adapt: the argument is a temporary that owns its numbers, and a view would outlive them: give it a name
// first
#include <hone/adapt/eigen.hpp>

auto rows_of_temporary_matrix(Eigen::MatrixXf& z) {
#ifdef WRONG
  return hone::adapt::rows_of(Eigen::MatrixXf(2 * z));
#else
  return hone::adapt::rows_of(z);
#endif
}
