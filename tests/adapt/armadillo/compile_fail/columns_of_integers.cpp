// SPDX-License-Identifier: MIT
// wrong: hone::adapt: the numbers must be float, double or a 16-bit floating-point type
#include <hone/adapt/armadillo.hpp>

#ifdef WRONG
using matrix = arma::imat;
#else
using matrix = arma::mat;
#endif

auto columns_of_integers(const matrix& z) { return hone::adapt::columns_of(z); }
