// SPDX-License-Identifier: MIT
// wrong: hone::adapt: the numbers must be float, double or a 16-bit floating-point type
#include <hone/adapt/eigen.hpp>

#ifdef WRONG
using matrix = Eigen::MatrixXcf;
#else
using matrix = Eigen::MatrixXf;
#endif

auto columns_of_complex_matrix(const matrix& z) { return hone::adapt::columns_of(z); }
