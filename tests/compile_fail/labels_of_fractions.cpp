// SPDX-License-Identifier: MIT
// wrong: hone::adapt: labels must be integers: the numbers of classes
#include <hone/adapt/eigen.hpp>

#ifdef WRONG
using vector = Eigen::VectorXf;
#else
using vector = Eigen::VectorXi;
#endif

auto labels_of_fractions(const vector& y) { return hone::adapt::labels_of(y); }
