// SPDX-License-Identifier: MIT
// wrong: write_soft_labels: the first argument must be a target: wrap labels in hone::classes, a matrix in
// hone::probabilities
#include <hone/adapt/soft_labels.hpp>
#include <hone/target.hpp>

#include <vector>

void write(std::vector<int> const& labels, hone::matrix_view<float> to) {
#ifdef WRONG
  hone::adapt::write_soft_labels(labels, to);
#else
  hone::adapt::write_soft_labels(hone::classes(labels), to);
#endif
}
