// SPDX-License-Identifier: MIT
/// Canvases of Fashion-MNIST items with the class of every pixel: what the network learns from.
#pragma once

#include "collage.hpp"

namespace segmentation {

/// Every image that the network sees has this side.
inline constexpr int canvas_side = 64, canvas_pixels = canvas_side * canvas_side;

/// A label: the class 0 is the background, the classes 1 to 10 are Fashion-MNIST's.
inline constexpr int classes = 11, background = 0, ignored = 255;

/// An item's pixels are pasted from 24 on; where they are darker than this it is not sure that they are the item's.
inline constexpr int opaque_from = 48;

struct canvas {
  demo::grey_image image;            // canvas_side x canvas_side
  std::vector<std::uint8_t> labels;  // one per pixel
};

struct canvas_set {
  std::vector<canvas> train, test;
};

/// The label of a pixel is the class of the topmost item there, or the background. Pixels of fragments, whose class
/// cannot be told, and of an item's dark rim are ignored.
canvas labelled(demo::collage collage);

/// `train` canvases of the items `for_training` and `test` of the items `for_tests`.
canvas_set canvases(const demo::image_set& for_training, const demo::image_set& for_tests, std::size_t train,
                    std::size_t test, std::uint64_t seed);

/// By label.
std::vector<std::string> class_names();

}  // namespace segmentation
