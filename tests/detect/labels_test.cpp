// SPDX-License-Identifier: MIT
// What all detector families share: slot numbers, labels moved by rounding, sizes, threads.
#include <hone/hone.hpp>

#include <doctest/doctest.h>
#include <support/message.hpp>

#include <array>
#include <cmath>
#include <limits>
#include <random>

namespace {

using boxes = std::vector<hone::labelled_box>;
const std::vector<hone::anchor_size> anchors = {{16, 30}, {62, 45}, {59, 119}, {116, 90}};

hone::anchor_level level_of(hone::index images, hone::index rows, hone::index columns) {
  return {.images = images, .rows = rows, .columns = columns, .stride = 16, .anchors = anchors, .first = 1, .count = 3};
}
bool same(hone::confidence_targets const& a, hone::confidence_targets const& b) {
  return a.target == b.target && a.weight == b.weight && a.positives == b.positives;
}

}  // namespace

TEST_CASE("anchor_level::at is the inverse of anchor_level::slot") {
  const auto level = level_of(2, 5, 7);
  CHECK((level.anchor_count() == 3 && level.slots() == 210));
  hone::index slot = 0;
  for (hone::index image = 0; image < 2; ++image)
    for (hone::index anchor = 0; anchor < 3; ++anchor)
      for (hone::index row = 0; row < 5; ++row)
        for (hone::index column = 0; column < 7; ++column, ++slot) {
          CHECK(level.slot(image, anchor, row, column) == slot);
          CHECK(level.at(slot) == hone::slot_place{image, anchor, row, column});
        }
  const boxes some{{.image = 1, .x = 0.3, .y = 0.7, .width = 0.5, .height = 0.6}};
  for (auto const& m : hone::yolov5::match(level, some)) {
    CHECK(level.at(m.slot) == hone::slot_place{m.image, m.anchor, m.row, m.column});
    CHECK(level.anchor(m.anchor).width == anchors[std::size_t(1 + m.anchor)].width);  // the anchor is the level's own
  }
}

TEST_CASE("boxes with a side of 0 or -0 are never matched") {
  for (const double w : {0.0, -0.0, 0.3})
    for (const double h : {0.0, -0.0, 0.3}) {
      const boxes one{{.x = 0.55, .y = 0.55, .width = w, .height = h}};
      const bool area = w > 0 && h > 0;
      for (const hone::index rows : {0, 8}) {
        const auto level = level_of(1, rows, 8);
        for (auto const& matches : {hone::yolov5::match(level, one), hone::yolov4::match(level, one),
                                    hone::ppyolo::match(level, one, {.iou_threshold = 0})}) {
          if (!area || rows == 0) CHECK(matches.empty());
          for (auto const& m : matches) CHECK((m.slot >= 0 && m.slot < level.slots()));
        }
      }
    }
}

TEST_CASE("centres outside of the image by rounding count as on the border, and farther ones throw") {
  const auto level = level_of(1, 8, 8);
  for (const double over : {1.0000001, 1 + 1e-6, double(std::nextafter(1.0f, 2.0f))}) {
    const boxes rounded{{.x = over, .y = 1 - over, .width = 0.4, .height = 0.4}};
    const boxes border{{.x = 1, .y = 0, .width = 0.4, .height = 0.4}};
    CHECK(hone::yolov5::match(level, rounded) == hone::yolov5::match(level, border));
    CHECK(hone::yolov4::match(level, rounded) == hone::yolov4::match(level, border));
    CHECK(hone::ppyolo::match(level, rounded) == hone::ppyolo::match(level, border));
    CHECK_FALSE(hone::yolov5::match(level, border).empty());
    const auto matches = hone::yolov5::match(level, border);
    CHECK(hone::boxes_in_cells(level, rounded, matches) == hone::boxes_in_cells(level, border, matches));
    std::vector<float> predicted(std::size_t(level.slots()) * 4, 0.5f);
    const hone::matrix_view view{predicted.data(), level.slots(), 4};
    CHECK(same(hone::yolov4::objectness_targets(level, view, rounded, matches, {.ignore_threshold = 0.1}),
               hone::yolov4::objectness_targets(level, view, border, matches, {.ignore_threshold = 0.1})));
  }
  CHECK(hone::yolov5::match(level, boxes{{.x = 0.5, .y = 0.5, .width = -1e-9, .height = 0.4}}).empty());
  const auto said = [&](hone::labelled_box b) {
    const boxes two{{.x = 0.5, .y = 0.5, .width = 0.1, .height = 0.1}, b};
    return support::message([&] { hone::yolov5::match(level, two); });
  };
  CHECK(said({.x = 1.001, .y = 0.5}) == "yolov5::match: x of box 1 is 1.001, must be in [0, 1]");
  CHECK(said({.x = 0.5, .y = -0.25}) == "yolov5::match: y of box 1 is -0.25, must be in [0, 1]");
  CHECK(said({.x = 0.5, .y = 0.5, .width = -0.125}) ==
        "yolov5::match: width of box 1 is -0.125, must be finite and not negative");
  CHECK(said({.x = std::numeric_limits<double>::quiet_NaN()}).find("x of box 1") != std::string::npos);
}

TEST_CASE("levels with more slots than memory can hold throw") {
  const boxes none;
  const std::vector<hone::anchor_match> unmatched;
  const hone::index large = hone::index(1) << 62;
  for (auto const& [images, rows, columns] : std::vector<std::array<hone::index, 3>>{
           {large, 1, 1}, {1, large, 4}, {hone::index(1) << 40, hone::index(1) << 20, hone::index(1) << 10}}) {
    const auto level = level_of(images, rows, columns);
    const auto refused = [&](auto const& call) {
      return support::message(call).find("more slots than memory can hold") != std::string::npos;
    };
    CHECK(refused([&] { hone::yolov5::match(level, none); }));
    CHECK(refused([&] { hone::yolov4::match(level, none); }));
    CHECK(refused([&] { hone::ppyolo::match(level, none); }));
    CHECK(refused([&] { hone::yolov5::objectness_targets(level, unmatched, {}); }));
    CHECK(refused(
        [&] { hone::yolov4::objectness_targets(level, hone::matrix_view<float>{nullptr, 0, 4}, none, unmatched); }));
  }
  CHECK(hone::yolov5::match(level_of(large, 0, large), none).empty());
}

TEST_CASE("objectness_targets: an IoU equal to the threshold is not above it, and none is above 1") {
  const hone::anchor_level level{.images = 1, .rows = 1, .columns = 1, .stride = 16, .anchors = anchors, .count = 1};
  // In units of 2^-10 of the image, where all lengths are exact: part of whole, both from the left.
  int ignored = 0, objects = 0;
  for (int whole = 10; whole <= 1000; whole += 10)
    for (int percent = 5; percent < 100; percent += 5) {
      if (whole * percent % 100 != 0) continue;
      const int part = whole * percent / 100;
      const boxes one{{.x = whole / 2048.0, .y = 0.5, .width = whole / 1024.0, .height = 0.5}};
      for (const int more : {0, 1}) {
        const std::vector<double> p{(part + more) / 2048.0, 0.5, (part + more) / 1024.0, 0.5};
        const hone::matrix_view view{p.data(), 1, 4};
        const std::vector<hone::anchor_match> none;
        const auto a = hone::yolov4::objectness_targets(level, view, one, none, {.ignore_threshold = percent / 100.0});
        const auto b = hone::ppyolo::objectness_targets(level, view, one, none, {.ignore_threshold = percent / 100.0});
        const auto c = hone::yolov4::objectness_targets(level, view, one, none,
                                                        {.ignore_threshold = 1, .truth_threshold = percent / 100.0});
        ignored += (a.weight[0] == 0) != (more == 1) || (b.weight[0] == 0) != (more == 1);
        objects += (c.target[0] == 1) != (more == 1);
      }
    }
  CHECK(ignored == 0);
  CHECK(objects == 0);

  std::mt19937 draw(5);
  std::uniform_real_distribution<double> number(0.01, 1);
  for (int i = 0; i < 2000; ++i) {
    const boxes one{{.x = number(draw), .y = number(draw), .width = number(draw), .height = number(draw)}};
    const std::vector<double> p{one[0].x, one[0].y, one[0].width, one[0].height};
    const auto c =
        hone::yolov4::objectness_targets(level, hone::matrix_view{p.data(), 1, 4}, one, {}, {.ignore_threshold = 1});
    objects += c.target[0] != 0 || c.weight[0] != 1;
  }
  CHECK(objects == 0);
}

TEST_CASE("objectness targets are bit-identical for every number of threads") {
  std::mt19937 draw(7);
  std::uniform_real_distribution<double> number(0, 1);
  for (const hone::index images : {0, 1, 5}) {
    const auto level = level_of(images, 19, 23);
    boxes some;
    for (hone::index i = 0; i < 9 * images; ++i)
      some.push_back({.image = i % images,
                      .x = number(draw),
                      .y = number(draw),
                      .width = number(draw) / 2,
                      .height = number(draw) / 2,
                      .score = number(draw)});
    std::vector<float> predicted;
    predicted.reserve(std::size_t(4 * level.slots()));
    for (hone::index i = 0; i < 4 * level.slots(); ++i) predicted.push_back(float(number(draw)));
    const hone::matrix_view view{predicted.data(), level.slots(), 4};
    const auto matches = hone::yolov4::match(level, some, {.iou_threshold = 0.213});
    const auto alone = hone::yolov4::objectness_targets(level, view, some, matches, {.ignore_threshold = 0.3});
    const auto pp = hone::ppyolo::objectness_targets(level, view, some, matches, {.ignore_threshold = 0.3});
    for (const int threads : {1, 2, 5}) {
      const hone::cpu cpu(threads);
      CHECK(same(hone::yolov4::objectness_targets(cpu, level, view, some, matches, {.ignore_threshold = 0.3}), alone));
      CHECK(same(
          hone::ppyolo::objectness_targets(cpu, level, view, some, matches, {.ignore_threshold = 0.3}, hone::centers),
          pp));
    }
  }
}
