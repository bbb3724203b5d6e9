// SPDX-License-Identifier: MIT
#include "coco.hpp"

#include "coco_values.hpp"

#include <doctest/doctest.h>

using detection::evaluated_image;

TEST_CASE("average precision matches pycocotools") {
  for (const coco_values::expected_case& c : coco_values::cases) {
    CAPTURE(c.name);
    std::vector<evaluated_image> images(static_cast<std::size_t>(c.images));
    for (const auto& t : c.truths) images[static_cast<std::size_t>(t.image)].truths.push_back(t.truth);
    for (const auto& d : c.detections) images[static_cast<std::size_t>(d.image)].detections.push_back(d.detected);
    const detection::average_precision ap = detection::evaluate(images, c.classes, c.most);
    const auto same = [](double x) { return doctest::Approx(x).epsilon(1e-12); };
    CHECK(ap.mean == same(c.mean_and_thresholds[0]));
    for (std::size_t k = 0; k < ap.at.size(); ++k) {
      CAPTURE(k);
      CHECK(ap.at[k] == same(c.mean_and_thresholds[k + 1]));
    }
    REQUIRE(ap.of_class.size() == c.of_class.size());
    for (std::size_t k = 0; k < c.of_class.size(); ++k) {
      CAPTURE(k);
      CHECK(ap.of_class[k] == same(c.of_class[k]));
    }
  }
}

TEST_CASE("average precision of one truth found, one missed and one false detection is as by hand") {
  const evaluated_image image{{{{0, 0, 10, 10}, 0}, {{50, 50, 60, 60}, 0}},
                              {{{0, 0, 10, 10}, 0, 0.9}, {{80, 80, 90, 90}, 0, 0.95}}};
  // the wrong one comes first: precision 1/2 up to recall 1/2, 51 of the 101 points
  const detection::average_precision ap = detection::evaluate({image}, 1);
  CHECK(ap.mean == doctest::Approx(0.5 * 51 / 101).epsilon(1e-14));
  CHECK(ap.at[9] == doctest::Approx(0.5 * 51 / 101).epsilon(1e-14));
}

TEST_CASE("average precision is -1 without truths, and 0 without detections") {
  CHECK(detection::evaluate({}, 2).mean == -1);
  CHECK(detection::evaluate({{{}, {{{0, 0, 1, 1}, 0, 1.0}}}}, 2).of_class == std::vector<double>{-1, -1});
  CHECK(detection::evaluate({{{{{0, 0, 10, 10}, 1}}, {}}}, 2).mean == 0);
}
