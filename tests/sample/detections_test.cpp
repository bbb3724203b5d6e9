// SPDX-License-Identifier: MIT
// Labels of mixed-up images for detection: the boxes of both images, with scores of λ and 1-λ.
#include <hone/hone.hpp>

#include <support/message.hpp>

#include <doctest/doctest.h>

namespace {

using support::message;

/// Three images with two boxes, none and one.
hone::detections<double> some() { return {{0, 0, 4, 4, 1, 1, 2, 2, 5, 5, 9, 9}, {7, 8, 9}, {}, {0, 2, 2, 3}}; }

}  // namespace

TEST_CASE("mix_detections concatenates the boxes of both images, with scores of λ and 1-λ") {
  const hone::mixup_draw draw{{0.75f, 0.25f, 0.5f}, {2, 0, 1}};
  const auto mixed = hone::mix_detections(draw, some());
  CHECK(mixed.first == std::vector<hone::index>{0, 3, 5, 6});
  CHECK(mixed.classes == std::vector<hone::index>{7, 8, 9, 7, 8, 9});
  CHECK(mixed.scores == std::vector<float>{0.75f, 0.75f, 0.25f, 0.75f, 0.75f, 0.5f});
  CHECK(std::vector<double>(mixed.boxes.begin() + 8, mixed.boxes.begin() + 16) ==
        std::vector<double>{5, 5, 9, 9, 0, 0, 4, 4});
}

TEST_CASE("mix_detections multiplies scores, drops boxes of score 0, and keeps a row mixed with itself") {
  auto scored = some();
  scored.scores = {0.5f, 1, 0};
  const auto mixed = hone::mix_detections(hone::mixup_draw{{1, 0, 0.5f}, {1, 0, 2}}, scored);
  CHECK(mixed.first == std::vector<hone::index>{0, 2, 4, 4});
  CHECK(mixed.scores == std::vector<float>{0.5f, 1, 0.5f, 1});
  const auto alone = hone::mix_detections(hone::mixup_draw{{0.25f, 0.25f, 0.25f}, {0, 1, 2}}, some());
  CHECK(alone.boxes == some().boxes);
  CHECK(alone.scores == std::vector<float>{1, 1, 1});
  CHECK(hone::mix_detections(hone::mixup_draw{}, hone::detections<float>{{}, {}, {}, {0}}).first ==
        std::vector<hone::index>{0});
}

TEST_CASE("mix_detections: invalid arguments throw") {
  const hone::mixup_draw draw{{0.75f, 0.25f, 0.5f}, {2, 0, 1}};
  const auto said = [&](auto spoil) {
    auto labels = some();
    spoil(labels);
    return message([&] { hone::mix_detections(draw, labels); });
  };
  CHECK(said([](auto& l) { l.boxes.pop_back(); }) ==
        "mix_detections: 11 numbers of boxes and 0 scores for 3 classes, must be 4 and 1 (or none) each");
  CHECK(said([](auto& l) { l.scores = {1}; }) ==
        "mix_detections: 12 numbers of boxes and 1 scores for 3 classes, must be 4 and 1 (or none) each");
  CHECK(said([](auto& l) { l.first.pop_back(); }) ==
        "mix_detections: first must be 4 numbers that rise from 0 to the 3 boxes");
  CHECK(said([](auto& l) { l.first = {0, 3, 2, 3}; }) ==
        "mix_detections: first must be 4 numbers that rise from 0 to the 3 boxes");
  CHECK(said([](auto& l) { l.first = {1, 2, 2, 3}; }) ==
        "mix_detections: first must be 4 numbers that rise from 0 to the 3 boxes");
  CHECK(said([](auto& l) { l.first = {0, 2, 2, 4}; }) ==
        "mix_detections: first must be 4 numbers that rise from 0 to the 3 boxes");
  CHECK(message([&] { hone::mix_detections(hone::mixup_draw{{0.5f}, {1}}, some()); }) ==
        "mix_detections: partner of row 0 is 1, must be in [0, 1)");
}
