// SPDX-License-Identifier: MIT
/// Fashion-MNIST items pasted on canvases, with boxes that are exact because they are known.
#pragma once

#include "data.hpp"
#include "scene.hpp"

#include <span>

namespace detection {

struct canvas_options {
  int most_items = 3;               // of a canvas: 0 to 3, each equally often
  int smallest = 12, largest = 40;  // side of an item's 28 x 28 image on the canvas, each equally often
  int fragments = 1;                // pieces of items that have no box
  double covered = 0.6;             // of an item, by another's box, at most
};

/// Canvas `index` of a seed: the same whenever, and in whatever order, it is made. A box is that of the whole item,
/// also where a later item covers a part of it.
scene canvas(const demo::image_set& items, std::uint64_t seed, std::size_t index, const canvas_options& options = {});

/// The names of Fashion-MNIST's classes.
std::vector<std::string> item_names();

/// `train` canvases of the items `for_training` and `test` of the items `for_tests`.
scene_set canvases(const demo::image_set& for_training, const demo::image_set& for_tests, std::size_t train,
                   std::size_t test, std::uint64_t seed);

}  // namespace detection
