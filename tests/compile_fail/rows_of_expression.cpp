// SPDX-License-Identifier: MIT
// wrong: hone::adapt: an expression of Eigen has no numbers in memory: evaluate it into a matrix with a name
#include <hone/adapt/eigen.hpp>

auto rows_of_expression(const Eigen::MatrixXf& z) {
#ifdef WRONG
  return hone::adapt::rows_of(2 * z);
#else
  return hone::adapt::rows_of(z.transpose());
#endif
}
