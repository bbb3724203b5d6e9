// SPDX-License-Identifier: MIT
// wrong: hone::adapt: the argument is a temporary that owns its numbers, and a view would outlive them: give it a name
// first
#include <hone/adapt/armadillo.hpp>

auto pixels_of_temporary_cube(arma::fcube& z) {
#ifdef WRONG
  return hone::adapt::pixels_of(arma::fcube(z));
#else
  return hone::adapt::pixels_of(z);
#endif
}
