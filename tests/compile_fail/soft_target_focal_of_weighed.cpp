// SPDX-License-Identifier: MIT
// wrong: soft_target_focal_loss: class weights would change how far p is from q
#include <hone/hone.hpp>

#include <vector>

auto soft_target_focal_of_weighed(const std::vector<int>& labels, const std::vector<float>& weights) {
#ifdef WRONG
  return hone::soft_target_focal_loss(hone::weigh_classes(hone::classes(labels), weights));
#else
  return hone::softmax_focal_loss(hone::weigh_classes(hone::classes(labels), weights));
#endif
}
