// SPDX-License-Identifier: MIT
// wrong: distribution_focal_loss: the distances must be a std::vector or std::span of float or double
#include <hone/hone.hpp>

#include <vector>

#ifdef WRONG
auto distribution_focal_loss_of_labels(const std::vector<int>& distances) {
#else
auto distribution_focal_loss_of_labels(const std::vector<float>& distances) {
#endif
  return hone::distribution_focal_loss(distances);
}
