// SPDX-License-Identifier: MIT
// wrong: hone::adapt: the numbers must be float, double or a 16-bit floating-point type
#include <hone/adapt/eigen.hpp>

#ifdef WRONG
using matrix = Eigen::MatrixXi;
#else
using matrix = Eigen::MatrixXd;
#endif

auto rows_of_integer_matrix(const matrix& z) { return hone::adapt::rows_of(z); }
