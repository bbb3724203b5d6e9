// SPDX-License-Identifier: MIT
// YOLOv5's matching, objectness, balance and gains: by hand, and against a naive reimplementation.
#include <hone/detect/yolov5/balance.hpp>
#include <hone/detect/yolov5/matching.hpp>
#include <hone/detect/yolov5/objectness.hpp>

#include <support/message.hpp>
#include <support/numbers.hpp>

#include <doctest/doctest.h>

#include <cmath>
#include <limits>
#include <string>
#include <tuple>
#include <vector>

namespace {

namespace yolov5 = hone::yolov5;
using hone::labelled_box, hone::anchor_match;

constexpr double not_a_number = std::numeric_limits<double>::quiet_NaN(),
                 infinity = std::numeric_limits<double>::infinity();
const std::vector<hone::anchor_size> square{{16, 16}}, two{{8, 12}, {30, 14}};

hone::anchor_level level_of(std::vector<hone::anchor_size> const& anchors, int images = 1) {
  return {.images = images, .rows = 4, .columns = 4, .stride = 16, .anchors = anchors};
}

using place = std::tuple<hone::index, hone::index, hone::index, hone::index>;  // box, anchor, row, column

std::vector<place> places(std::vector<anchor_match> const& matches) {
  std::vector<place> all;
  all.reserve(matches.size());
  for (anchor_match const& m : matches) all.emplace_back(m.box, m.anchor, m.row, m.column);
  return all;
}

labelled_box at(double x, double y, double width = 0.25, double height = 0.25) {
  return {.x = x, .y = y, .width = width, .height = height};
}

/// As build_targets says it: all pairs of anchors and boxes, the kept ones five times over, each time filtered.
std::vector<place> restated(hone::anchor_level const& level, std::vector<labelled_box> const& boxes, double ratio,
                            double g) {
  const double W = double(level.columns), H = double(level.rows);
  std::vector<std::pair<hone::index, hone::index>> kept;
  for (std::size_t a = 0; a < level.anchors.size(); ++a)
    for (std::size_t i = 0; i < boxes.size(); ++i) {
      const double rw = boxes[i].width * W / (level.anchors[a].width / level.stride);
      const double rh = boxes[i].height * H / (level.anchors[a].height / level.stride);
      if (std::max(std::max(rw, 1 / rw), std::max(rh, 1 / rh)) < ratio)
        kept.emplace_back(hone::index(i), hone::index(a));
    }
  const double off[5][2] = {{0, 0}, {1, 0}, {0, 1}, {-1, 0}, {0, -1}};
  std::vector<place> all;
  for (int k = 0; k < 5; ++k)
    for (auto const& [i, a] : kept) {
      const double x = boxes[std::size_t(i)].x * W, y = boxes[std::size_t(i)].y * H;
      const bool use[5] = {true, std::fmod(x, 1) < g && x > 1, std::fmod(y, 1) < g && y > 1,
                           std::fmod(W - x, 1) < g && W - x > 1, std::fmod(H - y, 1) < g && H - y > 1};
      if (!use[k]) continue;
      const double column = std::trunc(x - g * off[k][0]), row = std::trunc(y - g * off[k][1]);
      all.emplace_back(i, a, hone::index(std::min(std::max(row, 0.0), H - 1)),
                       hone::index(std::min(std::max(column, 0.0), W - 1)));
    }
  return all;
}

}  // namespace

TEST_CASE("yolov5::match takes the cell of the centre and the neighbours within the offset") {
  const auto of = [](labelled_box b) { return places(yolov5::match(level_of(square), std::vector{b})); };
  using list = std::vector<place>;
  CHECK(of(at(0.3125, 0.4375)) == list{{0, 0, 1, 1}, {0, 0, 1, 0}, {0, 0, 2, 1}});  // x = 1.25, y = 1.75: left, below
  CHECK(of(at(0.4375, 0.3125)) == list{{0, 0, 1, 1}, {0, 0, 0, 1}, {0, 0, 1, 2}});  // above, right
  CHECK(of(at(0.375, 0.375)) == list{{0, 0, 1, 1}});                                // just between
  CHECK(of(at(0.5, 0.375)) == list{{0, 0, 1, 2}, {0, 0, 1, 1}, {0, 0, 1, 2}});      // on a line: its own cell again
}

TEST_CASE("yolov5::match takes no neighbours outside of the image") {
  const auto of = [](double x, double y) { return places(yolov5::match(level_of(square), std::vector{at(x, y)})); };
  using list = std::vector<place>;
  CHECK(of(0.0625, 0.0625) == list{{0, 0, 0, 0}});
  CHECK(of(0.9375, 0.9375) == list{{0, 0, 3, 3}});
  CHECK(of(0.25, 0.375) == list{{0, 0, 1, 1}, {0, 0, 1, 1}});  // a line whose other side is the border's cell
  CHECK(of(0.75, 0.375) == list{{0, 0, 1, 3}, {0, 0, 1, 2}});
  CHECK(of(0, 0) == list{{0, 0, 0, 0}, {0, 0, 0, 0}, {0, 0, 0, 0}});
  CHECK(of(1, 1) == list{{0, 0, 3, 3}, {0, 0, 3, 3}, {0, 0, 3, 3}});  // on lines, as above
  const hone::anchor_level cell{.rows = 1, .columns = 1, .stride = 16, .anchors = square};
  CHECK(places(yolov5::match(cell, std::vector{at(0.25, 0.25, 1, 1)})) == list{{0, 0, 0, 0}});
}

TEST_CASE("yolov5::match takes anchors whose sides differ by less than the ratio, either way") {
  const auto count = [](double width, double height, double ratio) {
    return yolov5::match(level_of(square), std::vector{at(0.375, 0.375, width, height)}, {.ratio = ratio}).size();
  };
  CHECK(count(0.25, 0.25, 4) == 1);    // the anchor's own
  CHECK(count(1, 0.25, 4) == 0);       // 4 times as wide: not below 4
  CHECK(count(0.99, 0.25, 4) == 1);    //
  CHECK(count(0.25, 0.0625, 4) == 0);  // a fourth as high
  CHECK(count(0.25, 0.07, 4) == 1);
  CHECK(count(0.49, 0.26, 2) == 1);
  CHECK(count(0.51, 0.26, 2) == 0);
  CHECK(count(0, 0.25, 4) == 0);  // without area
  CHECK(count(0.25, 0, 4) == 0);
}

TEST_CASE("yolov5::match equals a naive reimplementation, in order") {
  std::vector<labelled_box> boxes;
  boxes.reserve(60);
  for (hone::index i = 0; i < 60; ++i) {
    const auto unit = [&](hone::index k) { return support::noise(5 * i + k) / 8 + 0.5; };
    boxes.push_back({.image = i % 3, .x = unit(0), .y = unit(1), .width = unit(2), .height = unit(3)});
  }
  const auto level = level_of(two, 3);
  for (const auto [ratio, offset] : {yolov5::match_options{4, 0.5}, {2, 0.5}, {8, 0.25}, {4, 0}}) {
    const auto matches = yolov5::match(level, boxes, {.ratio = ratio, .offset = offset});
    REQUIRE(matches.size() > 10);
    CHECK(places(matches) == restated(level, boxes, ratio, offset));
    for (anchor_match const& m : matches) {
      CHECK(m.image == boxes[std::size_t(m.box)].image);
      CHECK(m.slot == ((m.image * 2 + m.anchor) * 4 + m.row) * 4 + m.column);
    }
  }
}

TEST_CASE("yolov5::match uses only the anchors of the level") {
  std::vector<hone::anchor_size> all{{1, 1}, {16, 16}, {16, 17}, {1, 1}};
  hone::anchor_level level = level_of(all);
  level.first = 1, level.count = 2;
  CHECK(level.slots() == 32);
  CHECK(places(yolov5::match(level, std::vector{at(0.375, 0.375)})) == std::vector<place>{{0, 0, 1, 1}, {0, 1, 1, 1}});
}

TEST_CASE("yolov5: no labels or an empty level give no matches and targets of 0") {
  CHECK(yolov5::match(level_of(square), {}).empty());
  CHECK(yolov5::match(level_of({}), std::vector{at(0.5, 0.5)}).empty());
  for (const auto& [rows, columns] : {std::pair{0, 4}, {4, 0}, {0, 0}}) {
    const hone::anchor_level none{.rows = rows, .columns = columns, .stride = 16, .anchors = square};
    CHECK(yolov5::match(none, std::vector{at(0.5, 0.5)}).empty());
    CHECK(yolov5::objectness_targets(none, {}, {}).empty());
  }
  CHECK(yolov5::objectness_targets(level_of(square), {}, {}) == std::vector<float>(16));
}

TEST_CASE("yolov5::objectness_targets mix 1 and the clamped IoU of the last or the best match") {
  const auto level = level_of(square);
  const auto match = [&](hone::index column) { return anchor_match{0, column, 0, 0, 0, column}; };
  const std::vector matches{match(2), match(5), match(2), match(7), match(5)};
  const std::vector<double> ious{0.75, 0.25, 0.5, -0.5, 0.5};
  std::vector<float> expected(16);
  expected[2] = 0.5f, expected[5] = 0.5f;
  CHECK(yolov5::objectness_targets(level, matches, ious) == expected);
  expected[2] = 0.75f;
  CHECK(yolov5::objectness_targets(level, matches, ious, {.best_wins = true}) == expected);
  expected[2] = 0.9375f, expected[5] = 0.875f, expected[7] = 0.75f;
  CHECK(yolov5::objectness_targets(level, matches, ious, {.ratio = 0.25, .best_wins = true}) == expected);
  expected[2] = expected[5] = expected[7] = 1;
  CHECK(yolov5::objectness_targets(level, matches, ious, {.ratio = 0}) == expected);

  const std::vector<float> broken{1, std::nanf(""), 1, 1, 1};
  const auto target =
      yolov5::objectness_targets(level, std::vector{match(1), match(2), match(3), match(4), match(5)}, broken);
  CHECK((std::isnan(target[2]) && target[1] == 1 && target[3] == 1 && target[0] == 0));
}

TEST_CASE("boxes_in_cells gives boxes relative to the cells of their matches") {
  const std::vector boxes{at(0.3125, 0.4375, 0.5, 0.125), at(1, 1, 0.25, 0.25)};
  const auto level = level_of(square);
  const auto matches = yolov5::match(level, boxes);
  REQUIRE(matches.size() == 6);  // both centres, then left of both, ...
  CHECK(hone::boxes_in_cells(level, boxes, std::span(matches).first(2)) ==
        std::vector<float>{0.25, 0.75, 2, 0.5, 1, 1, 1, 1});
  CHECK(hone::boxes_in_cells(level, boxes, std::span(matches).subspan(2, 1)) == std::vector<float>{1.25, 0.75, 2, 0.5});
}

TEST_CASE("yolov5::level_balance has YOLOv5's values, and autobalance follows its rule") {
  CHECK(yolov5::level_balance(3) == std::vector<double>{4, 1, 0.4});
  CHECK(yolov5::level_balance(1) == std::vector<double>{4});
  CHECK(yolov5::level_balance(4) == std::vector<double>{4, 1, 0.25, 0.06});
  CHECK(yolov5::level_balance(5) == std::vector<double>{4, 1, 0.25, 0.06, 0.02});
  std::vector<double> balance{4, 1, 0.5};
  yolov5::autobalance(balance, std::vector<double>{0.5, 0.25, 2}, 1, {.decay = 0.75});  // 3.5, 1.75, 0.5
  CHECK(balance[0] == 2);
  CHECK(balance[1] == 1);
  CHECK(balance[2] == 0.5 / 1.75);
  balance = {4, 1, 0.4};
  yolov5::autobalance(balance, std::vector<double>{0.5, 0.5, 0.5}, 1);
  CHECK(balance[0] == doctest::Approx((0.9999 * 4 + 0.0001 * 2) / (0.9999 + 0.0002)).epsilon(1e-15));
}

TEST_CASE("yolov5::scaled adapts gains to the levels, classes and image size") {
  const auto same = yolov5::scaled({}, 3, 80, 640);
  CHECK((same.box == 0.05 && same.objectness == 1 && same.classes == 0.5));
  const auto other = yolov5::scaled({.box = 1, .objectness = 2, .classes = 3}, 6, 20, 1280);
  CHECK((other.box == 0.5 && other.objectness == 4 && other.classes == 0.375));
}

TEST_CASE("yolov5: invalid arguments throw with their values") {
  const auto said = [](auto const& body) { return support::message(body); };
  const auto match = [&](labelled_box b) {
    return said([&] { yolov5::match(level_of(square), std::vector{at(0.5, 0.5), b}); });
  };
  CHECK(match(at(not_a_number, 0.5)) == "yolov5::match: x of box 1 is nan, must be in [0, 1]");
  CHECK(match(at(0.5, 1.25)) == "yolov5::match: y of box 1 is 1.25, must be in [0, 1]");
  CHECK(match(at(0.5, 0.5, not_a_number)) == "yolov5::match: width of box 1 is nan, must be finite and not negative");
  CHECK(match(at(0.5, 0.5, 1, infinity)) == "yolov5::match: height of box 1 is inf, must be finite and not negative");
  CHECK(match(at(0.5, 0.5, -1)) == "yolov5::match: width of box 1 is -1, must be finite and not negative");
  CHECK(match({.score = not_a_number}) == "yolov5::match: score of box 1 is nan, must be finite and not negative");
  CHECK(match({.image = 1}) == "yolov5::match: image of box 1 is 1, must be in [0, 1)");
  CHECK(match({.image = -1}) == "yolov5::match: image of box 1 is -1, must be in [0, 1)");
  const auto level = [&](hone::anchor_level l) { return said([&] { yolov5::match(l, {}); }); };
  CHECK(level({.images = -1}) == "yolov5::match: images is -1, must be at least 0");
  CHECK(level({.rows = -1}) == "yolov5::match: rows is -1, must be at least 0");
  CHECK(level({.columns = -1}) == "yolov5::match: columns is -1, must be at least 0");
  CHECK(level({.stride = not_a_number}) == "yolov5::match: stride is nan, must be finite and positive");
  CHECK(level({.stride = 0}) == "yolov5::match: stride is 0, must be finite and positive");
  CHECK(level({.anchors = square, .first = 2}) == "yolov5::match: -1 anchors from 2 on, there are 1");
  CHECK(level({.anchors = square, .first = 1, .count = 1}) == "yolov5::match: 1 anchors from 1 on, there are 1");
  const hone::index large = hone::index(1) << 31;
  CHECK(level({.images = large, .rows = large, .columns = large, .anchors = square}) ==
        "yolov5::match: 2147483648 images of 2147483648 x 2147483648 cells with 1 anchors, more slots than memory can "
        "hold");
  CHECK(level({.rows = large, .columns = large, .anchors = square}).ends_with("more slots than memory can hold"));
  const std::vector<hone::anchor_size> bad{{1, 1}, {not_a_number, 1}};
  CHECK(level({.anchors = bad}) == "yolov5::match: anchor 1 is nan x 1, sides must be finite and positive");
  for (const double x : {1.0, 0.5, not_a_number, infinity})
    CHECK(said([&] { yolov5::match(level_of(square), {}, {.ratio = x}); }).starts_with("yolov5::match: ratio is "));
  for (const double x : {-0.1, 0.75, not_a_number})
    CHECK(said([&] { yolov5::match(level_of(square), {}, {.offset = x}); }).starts_with("yolov5::match: offset is "));

  const std::vector<anchor_match> one{{0, 16, 0, 0, 0, 0}}, fits{{0, 15, 0, 0, 3, 3}};
  const std::vector<double> iou{1};
  CHECK(said([&] { yolov5::objectness_targets(level_of(square), one, iou); }) ==
        "yolov5::objectness_targets: slot of match 0 is 16, must be in [0, 16)");
  CHECK(said([&] { yolov5::objectness_targets(level_of(square), fits, {}); }) ==
        "yolov5::objectness_targets: 0 ious for 1 matches");
  for (const double x : {-0.1, 1.1, not_a_number})
    CHECK(said([&] {
            yolov5::objectness_targets(level_of(square), {}, {}, {.ratio = x});
          }).starts_with("yolov5::objectness_targets: ratio is "));
  CHECK(said([&] { hone::boxes_in_cells(level_of(square), {}, fits); }) ==
        "boxes_in_cells: box of match 0 is 0, must be in [0, 0)");

  std::vector<double> balance{4, 1, 0.4};
  const std::vector<double> losses{1, 1, 0}, few{1};
  CHECK(said([&] { yolov5::autobalance(balance, losses, 1); }) ==
        "yolov5::autobalance: loss of level 2 is 0, must be finite and positive");
  CHECK(said([&] { yolov5::autobalance(balance, few, 1); }) == "yolov5::autobalance: 1 losses for 3 levels");
  CHECK(said([&] { yolov5::autobalance(balance, losses, 3); }) ==
        "yolov5::autobalance: reference is 3, must be in [0, 3)");
  CHECK(said([&] { yolov5::autobalance(balance, losses, 1, {.decay = not_a_number}); }) ==
        "yolov5::autobalance: decay is nan, must be in [0, 1]");
  CHECK(balance == std::vector<double>{4, 1, 0.4});
  balance[1] = not_a_number;
  CHECK(said([&] { yolov5::autobalance(balance, losses, 1); }) ==
        "yolov5::autobalance: balance of level 1 is nan, must be finite and positive");
  CHECK(said([] { yolov5::level_balance(6); }) == "yolov5::level_balance: levels is 6, must be in [1, 5]");
  CHECK(said([] { yolov5::scaled({}, 0, 80, 640); }) == "yolov5::scaled: levels is 0, must be at least 1");
}
