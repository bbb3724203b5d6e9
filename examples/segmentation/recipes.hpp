// SPDX-License-Identifier: MIT
/// What is compared: losses for one and the same network. The lines of hone are in recipes.cpp and train.cpp.
#pragma once

#include "canvases.hpp"

#include <hone/hone.hpp>

#include <functional>
#include <string>
#include <vector>

namespace segmentation {

/// The logits of a batch, with what they should be.
struct pixel_batch {
  hone::image_view<const float> logits;     // n x classes x 64 x 64
  const std::vector<std::uint8_t>& labels;  // n x 64 x 64
  hone::image_view<float> gradient;
};
/// Returns the loss and writes its gradient.
using pixel_loss = std::function<double(const hone::cpu&, const pixel_batch&)>;

struct recipe {
  std::string name, summary;
  pixel_loss loss;
};

/// The one that the others are compared with is the first.
std::vector<recipe> all_recipes();

}  // namespace segmentation
