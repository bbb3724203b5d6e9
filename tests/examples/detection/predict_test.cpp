// SPDX-License-Identifier: MIT
#include "predict.hpp"

#include <doctest/doctest.h>

using namespace detection;

TEST_CASE("suppressed keeps the highest score among overlapping boxes of one class") {
  const hone::cpu cpu{1};
  const std::vector<detected> boxes = {
      {{0, 0, 10, 10}, 0, 0.5},   {{1, 0, 11, 10}, 0, 0.9},    // IoU 9/11
      {{0, 0, 10, 10}, 1, 0.3},                                // another class
      {{50, 50, 60, 60}, 0, 0.2}, {{50, 50, 60, 60}, 0, 0.2},  // a tie: the first
      {{8, 0, 18, 10}, 0, 0.4},                                // overlaps little
  };
  CHECK(suppressed(cpu, boxes, 0.5) == std::vector<hone::index>{1, 5, 2, 3});
  CHECK(suppressed(cpu, boxes, 0.9) == std::vector<hone::index>{1, 0, 5, 2, 3});
  CHECK(suppressed(cpu, {}, 0.5).empty());
}

TEST_CASE("suppressed boxes suppress nothing") {
  const std::vector<detected> chain = {{{0, 0, 10, 10}, 0, 0.9}, {{3, 0, 13, 10}, 0, 0.8}, {{6, 0, 16, 10}, 0, 0.7}};
  CHECK(suppressed(hone::cpu{1}, chain, 0.5) == std::vector<hone::index>{0, 2});
}

TEST_CASE("predictions are inside the canvas, sorted by score and at most as many as asked for") {
  network net(3, 1, 10);
  matrix<float> image(1, canvas_side * canvas_side);
  std::mt19937_64 random(1);
  for (float& x : image.reshaped()) x = static_cast<float>(demo::uniform(random));
  net.forward(image);
  const std::vector<detected> all = predictions(hone::cpu{1}, net, 0, {.least_score = 0, .most = 37});
  REQUIRE(all.size() == 37);
  for (std::size_t i = 0; i < all.size(); ++i) {
    CHECK(all[i].box.x1 >= 0);
    CHECK(all[i].box.y2 <= canvas_side);
    CHECK(all[i].label < 10);
    if (i > 0) CHECK(all[i].score <= all[i - 1].score);
  }
  CHECK(predictions(hone::cpu{1}, net, 0, {.least_score = 0.9}).empty());
}
