// SPDX-License-Identifier: MIT
/// What is compared: losses for one and the same detector. The lines of hone are in recipes.cpp and train.cpp.
#pragma once

#include "cells.hpp"

#include <hone/hone.hpp>

#include <functional>
#include <string>
#include <vector>

namespace detection {

/// The logits of a batch, with what they should be.
struct class_batch {
  hone::image_view<const float> logits;  // n x classes x 144
  const std::vector<int>& labels;        // n x 144
  hone::image_view<float> gradient;
  double positives;
};
using class_loss = std::function<double(const hone::cpu&, const class_batch&)>;

/// The cells of a batch that answer for a box.
struct box_batch {
  std::vector<int> cells;               // within their images
  std::vector<cell_code<float>> codes;  // what the network said
  std::vector<centred<float>> targets;
  std::vector<cell_code<float>> gradient;  // of the mean over the cells
};
using box_loss = std::function<double(const hone::cpu&, box_batch&)>;

struct recipe {
  std::string name, summary;
  class_loss classes;
  box_loss boxes;
};

/// The default first, then the box losses, then the losses of classes.
std::vector<recipe> all_recipes();

}  // namespace detection
