// SPDX-License-Identifier: MIT
#include "canvases.hpp"

#include <doctest/doctest.h>

using namespace detection;

namespace {

/// Items that are a frame of 255 around a middle of 200, 20 x 14 pixels of 28 x 28, on black.
demo::image_set frames() {
  demo::image_set items;
  for (int label = 0; label < 10; ++label) {
    for (int y = 0; y < 28; ++y)
      for (int x = 0; x < 28; ++x) {
        const bool inside = x >= 4 && x < 24 && y >= 7 && y < 21;
        const bool edge = x < 6 || x >= 22 || y < 9 || y >= 19;
        items.pixels.push_back(static_cast<std::uint8_t>(!inside ? 0 : edge ? 255 : 200));
      }
    items.labels.push_back(label);
  }
  return items;
}

bool same(const scene& a, const scene& b) {
  bool equal = a.image.pixels == b.image.pixels && a.truths.size() == b.truths.size();
  for (std::size_t i = 0; equal && i < a.truths.size(); ++i)
    equal = a.truths[i].box.x1 == b.truths[i].box.x1 && a.truths[i].label == b.truths[i].label;
  return equal;
}

}  // namespace

TEST_CASE("a canvas depends only on its seed and its index") {
  const demo::image_set items = frames();
  const scene seventh = canvas(items, 3, 7);
  canvas(items, 3, 8);
  CHECK(same(seventh, canvas(items, 3, 7)));
  CHECK_FALSE(same(seventh, canvas(items, 3, 8)));
  CHECK_FALSE(same(seventh, canvas(items, 4, 7)));
}

TEST_CASE("the boxes of a canvas fit their items exactly") {
  const demo::image_set items = frames();
  const canvas_options alone{.most_items = 1, .fragments = 0};
  int boxes = 0;
  for (std::size_t i = 0; i < 200; ++i) {
    const scene s = canvas(items, 1, i, alone);
    rectangle bright{1e9, 1e9, -1e9, -1e9};
    for (int y = 0; y < canvas_side; ++y)
      for (int x = 0; x < canvas_side; ++x)
        if (s.image.at(x, y) > 190)
          bright = {std::min(bright.x1, double(x)), std::min(bright.y1, double(y)), std::max(bright.x2, x + 1.0),
                    std::max(bright.y2, y + 1.0)};
    if (s.truths.empty()) {
      CHECK(bright.x2 < bright.x1);
      continue;
    }
    REQUIRE(s.truths.size() == 1);
    ++boxes;
    const rectangle& b = s.truths[0].box;  // an edge pixel may be darker where the item was made smaller
    for (const double gap : {bright.x1 - b.x1, bright.y1 - b.y1, b.x2 - bright.x2, b.y2 - bright.y2}) {
      CHECK(gap >= 0);
      CHECK(gap <= 2);
    }
  }
  CHECK(boxes > 60);
}

TEST_CASE("canvases have sizes, numbers and overlaps of items as the options say") {
  const demo::image_set items = frames();
  const canvas_options o;
  std::array<int, 4> counts{};
  int overlapping = 0;
  double smallest = 1e9, largest = 0;
  for (std::size_t i = 0; i < 400; ++i) {
    const scene s = canvas(items, 1, i, o);
    REQUIRE(s.truths.size() <= 3);
    ++counts[s.truths.size()];
    for (const truth& t : s.truths) {
      const double width = t.box.x2 - t.box.x1;
      smallest = std::min(smallest, width);
      largest = std::max(largest, width);
      CHECK(t.box.x1 >= 0);
      CHECK(t.box.y2 <= canvas_side);
      for (const truth& u : s.truths) {
        if (&t == &u) continue;
        const double w = std::min(t.box.x2, u.box.x2) - std::max(t.box.x1, u.box.x1);
        const double h = std::min(t.box.y2, u.box.y2) - std::max(t.box.y1, u.box.y1);
        if (w <= 0 || h <= 0) continue;
        ++overlapping;
        CHECK(w * h <= o.covered * width * (t.box.y2 - t.box.y1));
      }
    }
  }
  for (const int count : counts) CHECK(count > 60);
  CHECK(overlapping > 20);
  CHECK(smallest < 11);  // 20/28 of 12, and of 40
  CHECK(largest > 26);
}

TEST_CASE("training canvases use training items, and test canvases test items") {
  demo::image_set dark = frames(), bright = frames();
  for (std::uint8_t& p : dark.pixels) p = p > 0 ? 150 : 0;
  const scene_set set = canvases(dark, bright, 20, 20, 1);
  const auto brightest = [](const std::vector<scene>& scenes) {
    int most = 0;
    for (const scene& s : scenes)
      for (const std::uint8_t p : s.image.pixels) most = std::max<int>(most, p);
    return most;
  };
  CHECK(brightest(set.train) <= 182);  // the ground reaches 180
  CHECK(brightest(set.test) == 255);
}

TEST_CASE("resized keeps an image of the same size and constant images, and averages when halving") {
  const std::vector<std::uint8_t> pixels = {0, 100, 200, 40, 60, 80};
  CHECK(demo::resized(pixels.data(), 3, 2, 3, 2).pixels == pixels);
  const std::vector<std::uint8_t> level(35, 77);
  for (const int side : {1, 3, 5, 17}) {
    const auto image = demo::resized(level.data(), 7, 5, side, side);
    CHECK(std::all_of(image.pixels.begin(), image.pixels.end(), [](int p) { return p == 77; }));
  }
  const std::vector<std::uint8_t> halves = {0, 0, 200, 200};
  const auto half = demo::resized(halves.data(), 4, 1, 2, 1);  // weights 1, 3, 3, 1 of eight, at the edge repeated
  CHECK(half.pixels == std::vector<std::uint8_t>{25, 175});
}
