// SPDX-License-Identifier: MIT
// wrong: hone::adapt: labels and weights are a vector of Eigen: one row or one column at compile time
#include <hone/adapt/eigen.hpp>

auto labels_of_matrix(const Eigen::MatrixXi& y) {
#ifdef WRONG
  return hone::adapt::labels_of(y);
#else
  return hone::adapt::labels_of(y.col(0));
#endif
}
