// SPDX-License-Identifier: MIT
// wrong: evaluate: outputs are {.gradient = a view of the prediction.s kind and type
#include <hone/adapt/eigen.hpp>
#include <hone/hone.hpp>

using row_major = Eigen::Matrix<float, Eigen::Dynamic, Eigen::Dynamic, Eigen::RowMajor>;

void gradient_of_other_order(hone::cpu& cpu, Eigen::MatrixXf& z, [[maybe_unused]] row_major& rows,
                             [[maybe_unused]] Eigen::MatrixXf& columns) {
#ifdef WRONG
  hone::evaluate(cpu, hone::z_loss(1), hone::adapt::rows_of(z), {.gradient = hone::adapt::rows_of(rows)});
#else
  hone::evaluate(cpu, hone::z_loss(1), hone::adapt::rows_of(z), {.gradient = hone::adapt::rows_of(columns)});
#endif
}
