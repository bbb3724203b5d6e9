// SPDX-License-Identifier: MIT
// darknet's matching and objectness: by hand, and against a naive reimplementation.
#include <hone/detect/yolov4/matching.hpp>
#include <hone/detect/yolov4/objectness.hpp>

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

namespace yolov4 = hone::yolov4;
using hone::anchor_match, hone::labelled_box, hone::matrix_view;

constexpr double not_a_number = std::numeric_limits<double>::quiet_NaN();
const std::vector<hone::anchor_size> six{{8, 8}, {16, 8}, {8, 16}, {32, 16}, {16, 32}, {32, 32}};

/// The last three of six anchors, 4 x 4 cells of 16 pixels.
hone::anchor_level level_of(int images = 1, int first = 3, int count = 3) {
  return {.images = images, .rows = 4, .columns = 4, .stride = 16, .anchors = six, .first = first, .count = count};
}
labelled_box at(double x, double y, double width, double height, double score = 1) {
  return {.x = x, .y = y, .width = width, .height = height, .score = score};
}

using place = std::tuple<hone::index, hone::index, hone::index, hone::index>;  // box, anchor, row, column
using list = std::vector<place>;

list places(std::vector<anchor_match> const& matches) {
  list all;
  all.reserve(matches.size());
  for (anchor_match const& m : matches) all.emplace_back(m.box, m.anchor, m.row, m.column);
  return all;
}

std::vector<labelled_box> boxes_of(int images, int count) {
  std::vector<labelled_box> boxes;
  boxes.reserve(std::size_t(count));
  for (int i = 0; i < count; ++i) {
    const auto unit = [&](int k) { return support::noise(5 * i + k) / 8 + 0.5; };
    boxes.push_back(
        {.image = i % images, .label = i % 3, .x = unit(0), .y = unit(1), .width = unit(2), .height = unit(3)});
  }
  return boxes;
}

/// Predictions around the boxes, some of them close.
std::vector<float> predictions(hone::anchor_level const& level, std::vector<labelled_box> const& boxes) {
  std::vector<float> p;
  for (hone::index i = 0; i < level.slots(); ++i) {
    labelled_box const& b = boxes[std::size_t(i * 7) % boxes.size()];
    const double off = 0.02 * double(i % 9);
    for (const double x : {b.x + off * support::noise(i) / 4, b.y, b.width * (1 + off), b.height * (1 - off)})
      p.push_back(float(x));
  }
  return p;
}

}  // namespace

TEST_CASE("yolov4::match assigns a box to its best anchor of all levels, in the cell of its centre") {
  const auto of = [](labelled_box b, int first, int count) {
    return places(yolov4::match(level_of(1, first, count), std::vector{b}));
  };
  CHECK(of(at(0.3, 0.8, 0.5, 0.25), 3, 3) == list{{0, 0, 3, 1}});  // 32 x 16 itself
  CHECK(of(at(0.3, 0.8, 0.5, 0.25), 0, 3).empty());
  CHECK(of(at(0.3, 0.8, 0.5, 0.25), 0, 6) == list{{0, 3, 3, 1}});
  CHECK(of(at(0, 0, 0.5, 0.5), 3, 3) == list{{0, 2, 0, 0}});
  CHECK(of(at(1, 1, 0.5, 0.5), 3, 3) == list{{0, 2, 3, 3}});        // the border's cell is the last
  CHECK(of(at(0.5, 0.5, 0.25, 0.25), 0, 6) == list{{0, 1, 2, 2}});  // a tie of four (IoU 1/2): the first
  CHECK(of(at(0.5, 0.5, 0.25, 0.25), 2, 4).empty());
  CHECK(of(at(0.5, 0.5, 0, 0.25), 0, 6).empty());  // without area
  CHECK(of(at(0.5, 0.5, 0.5, 0.5), 0, 0).empty());
}

TEST_CASE("yolov4::match adds the other anchors whose IoU is above the threshold") {
  const std::vector box{at(0.5, 0.5, 0.5, 0.5)};  // 32 x 32: IoU 1/2 with 32 x 16 and 16 x 32
  const auto of = [&](double threshold) {
    return places(yolov4::match(level_of(), box, {.iou_threshold = threshold}));
  };
  CHECK(of(1) == list{{0, 2, 2, 2}});
  CHECK(of(0.5) == list{{0, 2, 2, 2}});  // not above
  CHECK(of(0.499) == list{{0, 2, 2, 2}, {0, 0, 2, 2}, {0, 1, 2, 2}});
  CHECK(places(yolov4::match(level_of(1, 3, 2), box, {.iou_threshold = 0.213})) ==
        list{{0, 0, 2, 2}, {0, 1, 2, 2}});  // the best is another level's
}

TEST_CASE("yolov4::match equals a naive reimplementation, in order") {
  const auto boxes = boxes_of(3, 60);
  const auto level = level_of(3);
  for (const double threshold : {1.0, 0.6, 0.213}) {
    std::vector<std::tuple<hone::index, hone::index>> expected, seen;  // box, slot
    for (std::size_t i = 0; i < boxes.size(); ++i) {
      labelled_box const& b = boxes[i];
      double best = 0;
      int best_n = 0;
      for (int n = 0; n < 6; ++n)
        if (const double iou = support::shape_overlap(level, b, six[std::size_t(n)]); iou > best)
          best = iou, best_n = n;
      const auto slot = [&](int n) {
        return b.image * 48 + hone::index(n - 3) * 16 + hone::index(b.y * 4) * 4 + hone::index(b.x * 4);
      };
      if (best_n >= 3) expected.emplace_back(i, slot(best_n));
      for (int n = 3; n < 6; ++n)
        if (n != best_n && threshold < 1 && support::shape_overlap(level, b, six[std::size_t(n)]) > threshold)
          expected.emplace_back(i, slot(n));
    }
    REQUIRE(expected.size() > 10);
    for (anchor_match const& m : yolov4::match(level, boxes, {.iou_threshold = threshold}))
      seen.emplace_back(m.box, m.slot);
    CHECK(seen == expected);
  }
}

TEST_CASE("yolov4::box_weights split a slot between boxes of different labels") {
  std::vector<labelled_box> boxes(4);
  boxes[0].label = 1, boxes[1].label = 2, boxes[2].label = 1, boxes[3].label = 5;
  const auto match = [](hone::index box, hone::index slot) { return anchor_match{box, slot, 0, 0, 0, 0}; };
  CHECK(yolov4::box_weights(boxes, std::vector{match(0, 3), match(1, 3), match(2, 3), match(3, 7), match(0, 8)}) ==
        std::vector<float>{0.5, 0.5, 0.5, 1, 1});
  CHECK(yolov4::box_weights(boxes, {}).empty());
}

TEST_CASE("yolov4::objectness_targets are those worked out by hand") {
  const auto level = level_of();
  const std::vector boxes{at(0.5, 0.5, 0.5, 0.5, 0.75)};
  const auto matches = yolov4::match(level, boxes);
  REQUIRE(matches.size() == 1);
  std::vector<double> predicted(192);
  const auto predict = [&](hone::index slot, double width) {
    const double p[4] = {0.5, 0.5, width, 0.5};  // IoU width / 0.5
    std::copy(p, p + 4, predicted.begin() + 4 * slot);
  };
  predict(0, 0.25);          // IoU 1/2
  predict(1, 0.375);         // 3/4
  predict(2, 0.5);           // 1
  predict(3, not_a_number);  // 0
  predict(matches[0].slot, 0.125);
  const matrix_view view{predicted.data(), 48, 4};
  std::vector<float> target(48), weight(48, 1);
  target[std::size_t(matches[0].slot)] = 1, weight[std::size_t(matches[0].slot)] = 0.75f;
  const auto is = [&](hone::confidence_targets const& c) {
    return c.target == target && c.weight == weight && c.positives == 1;
  };
  weight[1] = weight[2] = 0;
  CHECK(is(yolov4::objectness_targets(level, view, boxes, matches)));
  weight[1] = 1;
  CHECK(is(yolov4::objectness_targets(level, view, boxes, matches, {.ignore_threshold = 0.75})));
  weight[1] = 0, weight[2] = 1, target[2] = 1;
  CHECK(is(yolov4::objectness_targets(level, view, boxes, matches, {.truth_threshold = 0.75})));
  weight[1] = 1, target[1] = 0.5625;
  CHECK(is(yolov4::objectness_targets(level, view, boxes, matches, {.truth_threshold = 0.5, .smooth = true})));
  target[1] = 0.75;
  CHECK(is(yolov4::objectness_targets(level, view, boxes, matches, {.smooth = true})));
  target[std::size_t(matches[0].slot)] = 0, weight[std::size_t(matches[0].slot)] = 1;
  CHECK(is(yolov4::objectness_targets(level, view, boxes, matches, {.smooth = true, .darknet_compat = true})));

  std::vector<float> scores(48, 0.25f);  // not above the threshold
  scores[2] = 0.5f;
  target = std::vector<float>(48), target[std::size_t(matches[0].slot)] = 1;
  weight = std::vector<float>(48, 1), weight[2] = 0, weight[std::size_t(matches[0].slot)] = 0.75f;
  CHECK(is(yolov4::objectness_targets(level, view, boxes, matches, {.class_scores = scores})));
  weight[2] = 1;
  CHECK(is(yolov4::objectness_targets(level, view, boxes, matches, {.class_threshold = 0.5, .class_scores = scores})));
}

TEST_CASE("yolov4::objectness_targets equal a naive reimplementation for every slot of every image") {
  const auto level = level_of(3);
  const auto boxes = boxes_of(3, 12);
  const auto predicted = predictions(level, boxes);
  const auto matches = yolov4::match(level, boxes, {.iou_threshold = 0.213});
  std::vector<float> scores;
  scores.reserve(144);
  for (int i = 0; i < 144; ++i) scores.push_back(float(i % 4) / 4);
  for (const bool smooth : {false, true})
    for (const double truth : {1.0, 0.8}) {
      const auto c = yolov4::objectness_targets(
          level, matrix_view{predicted.data(), 144, 4}, boxes, matches,
          {.ignore_threshold = 0.6, .truth_threshold = truth, .smooth = smooth, .class_scores = scores});
      int ignored = 0, positives = 0;
      for (hone::index i = 0; i < 144; ++i) {
        const double iou = support::best_overlap(predicted.data() + 4 * i, i / 48, boxes);
        double target = 0, weight = 1;
        if (iou > 0.6 && scores[std::size_t(i)] > 0.25f) target = smooth ? iou : 0, weight = smooth;
        if (iou > truth) target = smooth ? iou * iou : 1, weight = 1;
        bool matched = false;
        for (anchor_match const& m : matches) matched |= m.slot == i;
        if (matched) target = weight = 1;
        ignored += weight == 0, positives += matched;
        CHECK(double(c.target[std::size_t(i)]) == doctest::Approx(target).epsilon(1e-6));
        CHECK(double(c.weight[std::size_t(i)]) == weight);
      }
      CHECK(c.positives == positives);
      if (!smooth) CHECK(ignored > 5);
    }
}

TEST_CASE("yolov4::objectness_targets take predictions in other formats and with padding") {
  const auto level = level_of();
  const auto boxes = boxes_of(1, 5);
  const auto centers = predictions(level, boxes);
  std::vector<double> padded(288, not_a_number);
  for (std::size_t i = 0; i < 48; ++i)
    for (std::size_t k = 0; k < 2; ++k) {
      const double c = double(centers[4 * i + k]), side = double(centers[4 * i + 2 + k]);
      padded[6 * i + k] = c - side / 2, padded[6 * i + 2 + k] = c + side / 2;
    }
  const auto plain = yolov4::objectness_targets(level, matrix_view{centers.data(), 48, 4}, boxes, {}, {.smooth = true});
  const auto other = yolov4::objectness_targets(level, matrix_view{padded.data(), 48, 4, 6}, boxes, {},
                                                {.smooth = true}, hone::corners);
  bool any = false;
  for (std::size_t i = 0; i < 48; ++i) {
    CHECK(plain.target[i] == doctest::Approx(other.target[i]).epsilon(1e-6));
    any |= plain.target[i] > 0;
  }
  CHECK(any);
}

TEST_CASE("yolov4: no labels give no matches and targets of 0") {
  CHECK(yolov4::match(level_of(), {}).empty());
  const std::vector<float> predicted(192, 0.5f);
  const auto c = yolov4::objectness_targets(level_of(), matrix_view{predicted.data(), 48, 4}, {}, {});
  CHECK(c.target == std::vector<float>(48));
  CHECK(c.weight == std::vector<float>(48, 1));
  CHECK(c.positives == 0);
  const matrix_view<const float> none{static_cast<float const*>(nullptr), 0, 4};
  const hone::anchor_level cells{.rows = 0, .columns = 4, .anchors = six}, anchors{.rows = 4, .columns = 4};
  for (hone::anchor_level const& l : {cells, anchors, level_of(0)}) {
    CHECK(yolov4::objectness_targets(l, none, {}, {}).target.empty());
    if (l.images != 0) CHECK(yolov4::match(l, std::vector{at(0.5, 0.5, 0.5, 0.5)}).empty());
  }
}

TEST_CASE("yolov4: invalid arguments throw with their values") {
  const auto level = level_of();
  const std::vector<float> predicted(192);
  const matrix_view view{predicted.data(), 48, 4};
  const auto said = [](auto const& body) { return support::message(body); };
  CHECK(said([&] { yolov4::match(level, std::vector{at(0.5, not_a_number, 1, 1)}); }) ==
        "yolov4::match: y of box 0 is nan, must be in [0, 1]");
  CHECK(said([&] { yolov4::match(level, {}, {.iou_threshold = not_a_number}); }) ==
        "yolov4::match: iou_threshold is nan, must be at least 0");
  CHECK(said([&] { yolov4::match({.stride = -1}, {}); }).starts_with("yolov4::match: stride is -1"));
  const auto objectness = [&](yolov4::objectness_options o) {
    return said([&] { yolov4::objectness_targets(level, view, {}, {}, o); });
  };
  CHECK(objectness({.ignore_threshold = 1.5}) ==
        "yolov4::objectness_targets: ignore_threshold is 1.5, must be in [0, 1]");
  CHECK(objectness({.truth_threshold = not_a_number}) ==
        "yolov4::objectness_targets: truth_threshold is nan, must be in [0, 1]");
  CHECK(objectness({.class_threshold = -1}) == "yolov4::objectness_targets: class_threshold is -1, must be in [0, 1]");
  const std::vector<float> few(3);
  CHECK(objectness({.class_scores = few}) == "yolov4::objectness_targets: 3 class_scores for 48 slots");
  const auto of = [&](matrix_view<const float> v) {
    return said([&] { yolov4::objectness_targets(level, v, {}, {}); });
  };
  CHECK(of({predicted.data(), 47, 4}) == "yolov4::objectness_targets: predicted is 47 x 4, must be 48 x 4");
  CHECK(of({predicted.data(), 48, 4, 3}) ==
        "yolov4::objectness_targets: predicted has a row_stride of 3, must be at least its 4 columns");
  CHECK(of({static_cast<float const*>(nullptr), 48, 4}) ==
        "yolov4::objectness_targets: predicted is 48 x 4 but has no data");
  CHECK(said([&] { yolov4::objectness_targets(level, view, std::vector{at(0.5, 0.5, not_a_number, 1)}, {}); }) ==
        "yolov4::objectness_targets: width of box 0 is nan, must be finite and not negative");
  const std::vector<anchor_match> wrong{{1, 0, 0, 0, 0, 0}};
  CHECK(said([&] { yolov4::objectness_targets(level, view, std::vector{at(0.5, 0.5, 1, 1)}, wrong); }) ==
        "yolov4::objectness_targets: box of match 0 is 1, must be in [0, 1)");
  CHECK(said([&] { yolov4::box_weights({}, wrong); }) == "yolov4::box_weights: box of match 0 is 1, must be in [0, 0)");
}
