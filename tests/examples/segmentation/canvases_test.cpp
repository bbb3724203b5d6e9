// SPDX-License-Identifier: MIT
#include "canvases.hpp"

#include <doctest/doctest.h>

#include <algorithm>
#include <array>

using namespace segmentation;

namespace {

/// An item per class: a bright square of 16 x 16 with a rim of one darker pixel, on black.
demo::image_set squares() {
  demo::image_set items;
  for (int label = 0; label < 10; ++label) {
    for (int y = 0; y < 28; ++y)
      for (int x = 0; x < 28; ++x) {
        const int edge = std::min({x - 5, y - 5, 22 - x, 22 - y});
        items.pixels.push_back(static_cast<std::uint8_t>(edge < 0 ? 0 : edge == 0 ? 40 : 200 + label));
      }
    items.labels.push_back(label);
  }
  return items;
}

}  // namespace

TEST_CASE("a label is the class of the topmost item, and fragments and dark rims are ignored") {
  demo::collage c{{3, 2, {10, 200, 200, 200, 30, 47}}, {{{0, 0, 3, 2}, 4}, {{1, 0, 2, 1}, 9}}, {-1, 0, 1, -2, 0, 1}};
  CHECK(labelled(c).labels == std::vector<std::uint8_t>{background, 5, 10, ignored, ignored, ignored});
  c.image.pixels[5] = opaque_from;
  CHECK(labelled(c).labels[5] == 10);
}

TEST_CASE("labels of canvases match their pixels") {
  const canvas_set set = canvases(squares(), squares(), 60, 20, 1);
  REQUIRE(set.train.size() == 60);
  REQUIRE(set.test.size() == 20);
  std::array<int, 256> counts{};
  int exact = 0, darker = 0;
  for (const canvas& c : set.train) {
    REQUIRE(c.labels.size() == std::size_t{canvas_pixels});
    for (std::size_t i = 0; i < c.labels.size(); ++i) {
      const int label = c.labels[i];
      ++counts[c.labels[i]];
      if (label == background) CHECK(c.image.pixels[i] < 200);  // the ground reaches 180
      if (label != background && label != ignored) CHECK(c.image.pixels[i] >= opaque_from);
      if (label == background || label == ignored || c.image.pixels[i] < 200) continue;
      CHECK(c.image.pixels[i] <= 200 + label - 1);  // an inner pixel tells its class; at the rim it is a little darker
      ++(c.image.pixels[i] == 200 + label - 1 ? exact : darker);
    }
  }
  for (int k = 0; k < classes; ++k) CHECK(counts[static_cast<std::size_t>(k)] > 100);
  CHECK(exact > 20 * darker);
  CHECK(counts[ignored] > 100);
  CHECK(counts[background] > 60 * canvas_pixels / 3);
}

TEST_CASE("a canvas depends only on the seed and its number") {
  const canvas_set few = canvases(squares(), squares(), 3, 2, 5), more = canvases(squares(), squares(), 6, 4, 5),
                   other = canvases(squares(), squares(), 3, 2, 6);
  CHECK(few.train[2].labels == more.train[2].labels);
  CHECK(few.test[1].image.pixels == more.test[1].image.pixels);
  CHECK(few.train[2].image.pixels != other.train[2].image.pixels);
  CHECK(few.train[0].image.pixels != few.test[0].image.pixels);
}

TEST_CASE("there is a name for every label") { CHECK(class_names().size() == classes); }
