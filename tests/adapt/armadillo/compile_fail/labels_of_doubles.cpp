// SPDX-License-Identifier: MIT
// wrong: hone::adapt: labels must be integers: the numbers of classes
#include <hone/adapt/armadillo.hpp>

#ifdef WRONG
using vector = arma::rowvec;
#else
using vector = arma::Row<std::size_t>;
#endif

auto labels_of_doubles(const vector& y) { return hone::adapt::labels_of(y); }
