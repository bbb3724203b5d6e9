// SPDX-License-Identifier: MIT
#include "canvases.hpp"

#include <doctest/doctest.h>

#include <numbers>

using namespace deformable;

namespace {

constexpr std::size_t side = demo::image_side;

/// One bright pixel.
std::vector<std::uint8_t> dot(std::size_t x, std::size_t y) {
  std::vector<std::uint8_t> item(demo::image_pixels);
  item[y * side + x] = 255;
  return item;
}

matrix<float> drawn(const std::vector<std::uint8_t>& item, const placement& where) {
  matrix<float> canvas(canvas_side, canvas_side);
  draw(item.data(), where, canvas.data());
  return canvas;
}

}  // namespace

TEST_CASE("an item of its own size in the middle is copied, six pixels from the corner") {
  const matrix<float> canvas = drawn(dot(3, 20), {});
  CHECK(canvas(26, 9) == 1);
  CHECK(canvas.sum() == 1);
}

TEST_CASE("displacement, rotation and scale move a pixel to where they should") {
  CHECK(drawn(dot(3, 20), {.x = 18, .y = 23})(29, 7) == 1);
  // a quarter turn: right of the centre goes below it
  CHECK(drawn(dot(20, 13), {.angle = std::numbers::pi / 2})(26, 20) == doctest::Approx(1).epsilon(1e-6));
  const matrix<float> large = drawn(dot(13, 13), {.scale = 2});  // four times the area
  CHECK(large.sum() == doctest::Approx(4).epsilon(1e-6));
}

TEST_CASE("placements are in range, and depend on the seed and the item alone") {
  std::mt19937_64 random(1);
  for (int i = 0; i < 1000; ++i) {
    const placement p = any_placement(random);
    const double radius = 14 * p.scale;
    CHECK((p.scale >= 0.5 && p.scale <= 1.2 && std::abs(p.angle) <= std::numbers::pi / 3));
    CHECK((p.x >= radius && p.x <= canvas_side - radius && p.y >= radius && p.y <= canvas_side - radius));
  }
  demo::image_set items{std::vector<std::uint8_t>(3 * demo::image_pixels, 200), {4, 5, 6}};
  matrix<float> all, one;
  std::vector<int> labels;
  const std::uint32_t three[] = {0, 1, 2}, last[] = {2};
  draw_all(items, three, 9, all, labels);
  CHECK(labels == std::vector<int>{4, 5, 6});
  draw_all(items, last, 9, one, labels);
  CHECK(one.row(0) == all.row(2));
  CHECK(all.row(0) != all.row(1));
  draw_all(items, last, 10, one, labels);
  CHECK(one.row(0) != all.row(2));
}
