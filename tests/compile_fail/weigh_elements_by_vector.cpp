// SPDX-License-Identifier: MIT
// wrong: weigh_elements: the weights must be a hone::matrix_view or a hone::image_view
#include <hone/hone.hpp>

#include <vector>

auto weigh_elements_by_vector(const std::vector<int>& labels, const std::vector<float>& weights) {
  const auto loss = hone::binary_cross_entropy(hone::classes(labels));
#ifdef WRONG
  return hone::weigh_elements(loss, weights);
#else
  return hone::weigh_elements(loss, hone::matrix_view{weights.data(), labels.size(), weights.size() / labels.size()});
#endif
}
