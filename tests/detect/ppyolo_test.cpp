// SPDX-License-Identifier: MIT
// PaddleDetection's matching and PP-YOLO's targets: by hand, and against a naive reimplementation.
#include <hone/detect/ppyolo/matching.hpp>
#include <hone/detect/ppyolo/objectness.hpp>

#include <detect/overlap.hpp>
#include <support/message.hpp>
#include <support/numbers.hpp>

#include <doctest/doctest.h>

#include <cmath>
#include <limits>
#include <string>
#include <tuple>
#include <vector>

namespace {

namespace ppyolo = hone::ppyolo;
using hone::anchor_match, hone::labelled_box, hone::matrix_view;

constexpr double not_a_number = std::numeric_limits<double>::quiet_NaN();
const std::vector<hone::anchor_size> four{{8, 8}, {32, 16}, {16, 32}, {32, 32}};

/// The last three of four anchors, 4 x 4 cells of 16 pixels.
hone::anchor_level level_of(int images = 1) {
  return {.images = images, .rows = 4, .columns = 4, .stride = 16, .anchors = four, .first = 1};
}
labelled_box at(double x, double y, double width, double height, double score = 1) {
  return {.x = x, .y = y, .width = width, .height = height, .score = score};
}

using list = std::vector<std::tuple<hone::index, hone::index>>;  // box, slot

list slots_of(std::vector<anchor_match> const& matches) {
  list all;
  all.reserve(matches.size());
  for (anchor_match const& m : matches) all.emplace_back(m.box, m.slot);
  return all;
}

}  // namespace

TEST_CASE("ppyolo::match gives a slot one box: a box replaces another only with its best anchor") {
  const labelled_box large = at(0.5, 0.5, 0.5, 0.5), wide = at(0.55, 0.6, 0.5, 0.25);  // in one cell, slot 10
  const auto of = [](std::vector<labelled_box> boxes, double threshold) {
    return slots_of(ppyolo::match(level_of(), boxes, {.iou_threshold = threshold}));
  };
  CHECK(of({large, wide}, 1) == list{{0, 42}, {1, 10}});
  CHECK(of({large, large}, 1) == list{{1, 42}});  // taken over
  CHECK(of({large}, 0.4) == list{{0, 42}, {0, 10}, {0, 26}});
  CHECK(of({large, wide}, 0.4) == list{{0, 42}, {1, 10}, {0, 26}});
  CHECK(of({wide, large}, 0.4) == list{{0, 10}, {1, 42}, {1, 26}});  // wide's 42 is taken over, its 10 is kept
  CHECK(of({large, at(0.1, 0.1, 0.1, 0.1)}, 1) == list{{0, 42}});    // the second is another level's
  CHECK(of({at(0.5, 0.5, 0.5, 0.5, 0)}, 0.4).empty());               // counts for nothing
  CHECK(of({at(0.5, 0.5, 0, 0.5)}, 0.4).empty());
  CHECK(of({at(1, 0, 0.5, 0.5)}, 1) == list{{0, 35}});
  CHECK(of({}, 0.4).empty());
}

TEST_CASE("ppyolo::match equals a naive reimplementation, slot by slot") {
  const auto level = level_of(2);
  std::vector<labelled_box> boxes;
  boxes.reserve(40);
  for (int i = 0; i < 40; ++i) {
    const auto unit = [&](int k) { return support::noise(5 * i + k) / 8 + 0.5; };
    boxes.push_back(
        {.image = i % 2, .x = unit(0), .y = unit(1), .width = unit(2), .height = unit(3), .score = i % 4 / 2.0});
  }
  for (const double threshold : {1.0, 0.5, 0.2}) {
    std::vector<int> owner(96, -1), seen(96, -1);
    for (std::size_t i = 0; i < boxes.size(); ++i) {
      labelled_box const& b = boxes[i];
      if (b.score <= 0) continue;
      double highest = 0;
      int best = -1;
      for (int n = 0; n < 4; ++n)
        if (const double iou = support::shape_overlap(level, b, four[std::size_t(n)]); iou > highest)
          highest = iou, best = n;
      const auto slot = [&](int n) {
        return std::size_t(b.image * 48 + hone::index(n - 1) * 16 + hone::index(b.y * 4) * 4 + hone::index(b.x * 4));
      };
      if (best >= 1) owner[slot(best)] = int(i);
      for (int n = 1; n < 4; ++n)
        if (threshold < 1 && n != best && support::shape_overlap(level, b, four[std::size_t(n)]) > threshold &&
            owner[slot(n)] < 0)
          owner[slot(n)] = int(i);
    }
    const auto matches = ppyolo::match(level, boxes, {.iou_threshold = threshold});
    for (anchor_match const& m : matches) {
      CHECK(seen[std::size_t(m.slot)] == -1);
      seen[std::size_t(m.slot)] = int(m.box);
    }
    CHECK(seen == owner);
    CHECK(matches.size() > 10);
  }
}

TEST_CASE("ppyolo::objectness_targets weigh by score and ignore slots that overlap a label") {
  const auto level = level_of(2);
  std::vector boxes{at(0.5, 0.5, 0.5, 0.5, 0.375), at(0.5, 0.5, 0.5, 0.25, 0.625)};
  boxes[1].image = 1;
  const auto matches = ppyolo::match(level, boxes);
  REQUIRE(slots_of(matches) == list{{0, 42}, {1, 58}});
  std::vector<double> predicted(384);
  const auto predict = [&](hone::index slot, double width, double height) {
    const double p[4] = {0.5, 0.5, width, height};
    std::copy(p, p + 4, predicted.begin() + 4 * slot);
  };
  predict(0, 0.5, 0.375);            // IoU 3/4
  predict(1, 0.5, 0.25);             // 1/2
  predict(48, 0.5, 0.25);            // 1, in the other image
  predict(49, 0.5, 0.375);           // 2/3
  predict(50, not_a_number, 0.375);  // 0
  predict(42, 0.5, 0.5);
  const matrix_view view{predicted.data(), 96, 4};
  std::vector<float> target(96), weight(96, 1);
  target[42] = target[58] = 1, weight[42] = 0.375f, weight[58] = 0.625f;
  const auto is = [&](double threshold) {
    const auto c = ppyolo::objectness_targets(level, view, boxes, matches, {.ignore_threshold = threshold});
    return c.target == target && c.weight == weight && c.positives == 2;
  };
  CHECK(is(1));
  weight[48] = 0;
  CHECK(is(0.75));  // not above
  weight[0] = 0;
  CHECK(is(0.7));
  CHECK(ppyolo::objectness_targets(level, view, boxes, matches).weight == weight);  // the default
  weight[49] = 0;
  CHECK(is(0.5));
  weight[1] = 0;
  CHECK(is(0.4));
}

TEST_CASE("ppyolo::iou_targets are set for matched slots only") {
  const auto level = level_of();
  const std::vector boxes{at(0.5, 0.5, 0.5, 0.5, 0.25), at(0.1, 0.1, 0.5, 0.5)};
  const auto matches = ppyolo::match(level, boxes);
  REQUIRE(slots_of(matches) == list{{0, 42}, {1, 32}});
  const std::vector<float> ious{0.75f, 0};
  const auto c = ppyolo::iou_targets(level, boxes, matches, ious);
  std::vector<float> target(48), weight(48);
  target[42] = 0.75f, weight[42] = 0.25f, weight[32] = 1;
  CHECK((c.target == target && c.weight == weight && c.positives == 2));
  const std::vector<double> broken{not_a_number, 0.5};
  const auto b = ppyolo::iou_targets(level, boxes, matches, broken);
  CHECK((std::isnan(b.target[42]) && b.target[32] == 0.5f));
}

TEST_CASE("ppyolo: no labels give no matches and targets of 0") {
  const std::vector<float> predicted(192, 0.5f);
  const auto c = ppyolo::objectness_targets(level_of(), matrix_view{predicted.data(), 48, 4}, {}, {});
  CHECK((c.target == std::vector<float>(48) && c.weight == std::vector<float>(48, 1) && c.positives == 0));
  const auto u = ppyolo::iou_targets(level_of(), {}, {}, {});
  CHECK((u.target == std::vector<float>(48) && u.weight == std::vector<float>(48) && u.positives == 0));
  const hone::anchor_level none{.rows = 4, .columns = 4};
  CHECK(ppyolo::match(none, std::vector{at(0.5, 0.5, 0.5, 0.5)}).empty());
  CHECK(ppyolo::iou_targets(none, {}, {}, {}).target.empty());
}

TEST_CASE("ppyolo: invalid arguments throw with their values") {
  const auto level = level_of();
  const std::vector<float> predicted(192);
  const matrix_view view{predicted.data(), 48, 4};
  const auto said = [](auto const& body) { return support::message(body); };
  CHECK(said([&] { ppyolo::match(level, std::vector{at(not_a_number, 0.5, 1, 1)}); }) ==
        "ppyolo::match: x of box 0 is nan, must be in [0, 1]");
  CHECK(said([&] { ppyolo::match(level, {}, {.iou_threshold = -1}); }) ==
        "ppyolo::match: iou_threshold is -1, must be at least 0");
  CHECK(said([&] { ppyolo::objectness_targets(level, view, {}, {}, {.ignore_threshold = not_a_number}); }) ==
        "ppyolo::objectness_targets: ignore_threshold is nan, must be in [0, 1]");
  CHECK(said([&] { ppyolo::objectness_targets(level, matrix_view{predicted.data(), 24, 8}, {}, {}); }) ==
        "ppyolo::objectness_targets: predicted is 24 x 8, must be 48 x 4");
  CHECK(said([&] { ppyolo::objectness_targets(level, view, std::vector{at(0.5, 0.5, 1, not_a_number)}, {}); }) ==
        "ppyolo::objectness_targets: height of box 0 is nan, must be finite and not negative");
  const std::vector<anchor_match> beyond{{0, 48, 0, 0, 0, 0}};
  const std::vector box{at(0.5, 0.5, 1, 1)};
  CHECK(said([&] { ppyolo::objectness_targets(level, view, box, beyond); }) ==
        "ppyolo::objectness_targets: slot of match 0 is 48, must be in [0, 48)");
  CHECK(said([&] { ppyolo::iou_targets(level, box, beyond, {}); }) ==
        "ppyolo::iou_targets: slot of match 0 is 48, must be in [0, 48)");
  const std::vector<anchor_match> fits{{0, 47, 0, 0, 0, 0}};
  const std::vector<float> two(2);
  CHECK(said([&] { ppyolo::iou_targets(level, box, fits, two); }) == "ppyolo::iou_targets: 2 ious for 1 matches");
}
