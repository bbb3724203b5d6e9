// SPDX-License-Identifier: MIT
// wrong: hone::adapt: the argument is a temporary that owns its numbers, and a view would outlive them: give it a name
// first
#include <hone/adapt/eigen.hpp>

auto labels_of_temporary(const Eigen::VectorXi& y) {
#ifdef WRONG
  return hone::adapt::labels_of(y.cast<std::int64_t>().eval());
#else
  return hone::adapt::labels_of(y.head(2));
#endif
}
