// SPDX-License-Identifier: MIT
/// Images with boxes: what the detector learns from.
#pragma once

#include "coco.hpp"
#include "resize.hpp"

#include <string>

namespace detection {

/// Every image that the network sees has this side.
inline constexpr int canvas_side = 96;

struct scene {
  demo::grey_image image;  // canvas_side x canvas_side
  std::vector<truth> truths;
};

struct scene_set {
  std::string what;  // for people
  std::vector<std::string> classes;
  std::vector<scene> train, test;
};

}  // namespace detection
