// SPDX-License-Identifier: MIT
// wrong: evaluate: dense targets and teachers are views of the prediction's kind
#include <hone/adapt/eigen.hpp>
#include <hone/hone.hpp>

#ifdef WRONG
using teacher = Eigen::Matrix<float, Eigen::Dynamic, Eigen::Dynamic, Eigen::RowMajor>;
#else
using teacher = Eigen::MatrixXf;
#endif

double teacher_of_other_order(hone::cpu& cpu, const Eigen::MatrixXf& z, const teacher& t) {
  return hone::evaluate(cpu, hone::distillation(hone::adapt::rows_of(t), 4), hone::adapt::rows_of(z));
}
