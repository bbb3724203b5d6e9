// SPDX-License-Identifier: MIT
// wrong: hone::adapt: the argument is a temporary that owns its numbers, and a view would outlive them: give it a name
// first
#include <hone/adapt/eigen.hpp>

auto rows_of_copying_reference(Eigen::MatrixXf& z) {
#ifdef WRONG
  return hone::adapt::rows_of(Eigen::Ref<const Eigen::MatrixXf>(z));  // it copies what does not fit
#else
  return hone::adapt::rows_of(Eigen::Ref<Eigen::MatrixXf>(z));
#endif
}
