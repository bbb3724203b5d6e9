// SPDX-License-Identifier: MIT
// wrong: hone::adapt: the argument is a temporary that owns its numbers, and a view would outlive them: give it a name
// first
#include <hone/adapt/armadillo.hpp>

auto columns_of_temporary(arma::fmat& z) {
#ifdef WRONG
  return hone::adapt::columns_of(arma::fmat(2 * z));
#else
  return hone::adapt::columns_of(z.cols(1, 2));
#endif
}
