// SPDX-License-Identifier: MIT
// wrong: write_soft_labels: class weights are no part of soft labels, whose rows have the sum 1
#include <hone/adapt/soft_labels.hpp>
#include <hone/target.hpp>

#include <vector>

void write(std::vector<int> const& labels, std::vector<float> const& weights, hone::matrix_view<float> to) {
#ifdef WRONG
  hone::adapt::write_soft_labels(hone::weigh_classes(hone::classes(labels), weights), to);
#else
  static_cast<void>(weights);
  hone::adapt::write_soft_labels(hone::classes(labels), to);
#endif
}
