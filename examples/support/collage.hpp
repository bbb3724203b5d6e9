// SPDX-License-Identifier: MIT
/// Fashion-MNIST items pasted on canvases, with boxes and owners of pixels that are exact because they are known.
#pragma once

#include "data.hpp"
#include "resize.hpp"

#include <string>

namespace demo {

struct collage_options {
  int side = 96;                    // of the canvas
  int most_items = 3;               // of a canvas: 0 to 3, each equally often
  int smallest = 12, largest = 40;  // side of an item's 28 x 28 image on the canvas, each equally often
  int fragments = 1;                // pieces of items, which are no items
  double covered = 0.6;             // of an item's box, by another's, at most
};

/// Columns x1 to x2 - 1 and rows y1 to y2 - 1.
struct pixel_box {
  int x1, y1, x2, y2;
};

struct pasted {
  pixel_box box;  // of the whole item, also where a later item covers a part of it
  int label;
};

struct collage {
  static constexpr int ground = -1, fragment = -2;

  grey_image image;           // side x side
  std::vector<pasted> items;  // a later one lies over an earlier one
  std::vector<int> owners;    // of every pixel: an index into items, ground or fragment
};

/// Canvas `index` of a seed: the same whenever, and in whatever order, it is made.
collage make_collage(const image_set& items, std::uint64_t seed, std::size_t index, const collage_options& options);

/// The names of Fashion-MNIST's classes.
std::vector<std::string> item_names();

}  // namespace demo
