// SPDX-License-Identifier: MIT
// wrong: hone::adapt: an expression of Armadillo has no numbers in memory
#include <hone/adapt/armadillo.hpp>

auto rows_of_transposed(const arma::fmat& z) {
#ifdef WRONG
  return hone::adapt::rows_of(z.t());
#else
  return hone::adapt::columns_of(z);
#endif
}
