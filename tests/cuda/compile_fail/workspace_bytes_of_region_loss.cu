// SPDX-License-Identifier: MIT
// wrong: workspace_bytes: an objective with a region loss needs the prediction
#include <hone/hone.cuh>

#include <vector>

std::size_t workspace_of(const std::vector<int>& labels, hone::image_view<const float> logits) {
#ifdef WRONG
  return hone::workspace_bytes(hone::dice_loss(hone::classes(labels)));
#else
  return hone::workspace_bytes(hone::dice_loss(hone::classes(labels)), logits);
#endif
}
