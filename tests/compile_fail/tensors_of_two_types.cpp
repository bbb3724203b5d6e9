// SPDX-License-Identifier: MIT
// wrong: tensors_of: all tensors have one number type
#include <hone/adapt/eigen.hpp>

auto tensors_of_two_types(Eigen::MatrixXf& w, [[maybe_unused]] Eigen::VectorXd& b,
                          [[maybe_unused]] Eigen::VectorXf& c) {
#ifdef WRONG
  return hone::adapt::tensors_of(w, b);
#else
  return hone::adapt::tensors_of(w, c);
#endif
}
