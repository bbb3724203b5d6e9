// SPDX-License-Identifier: MIT
#include "iou.hpp"

#include <doctest/doctest.h>

using namespace segmentation;

namespace {

score scored(int classes, const std::vector<std::uint8_t>& labels, const std::vector<std::uint8_t>& predictions) {
  confusion counts(classes, 255);
  counts.add(labels, predictions);
  return counts.scored();
}

}  // namespace

TEST_CASE("IoU of a few pixels matches values by hand") {
  //                 class 0: 2 of 4; class 1: 1 of 3; class 2: 1 of 2
  const score s = scored(3, {0, 0, 0, 1, 1, 2}, {0, 0, 1, 0, 1, 2});
  CHECK(s.of_class[0] == 0.5);
  CHECK(s.of_class[1] == doctest::Approx(1 / 3.0).epsilon(1e-15));
  CHECK(s.of_class[2] == 1);
  CHECK(s.mean_iou == doctest::Approx((0.5 + 1 / 3.0 + 1) / 3).epsilon(1e-15));
  CHECK(s.accuracy == doctest::Approx(4 / 6.0).epsilon(1e-15));
}

TEST_CASE("an absent class has no IoU and is left out of the mean; one that is only predicted has 0") {
  const score s = scored(4, {0, 0, 1, 1}, {0, 0, 1, 3});
  CHECK(s.of_class == std::vector<double>{1, 0.5, score::absent, 0});
  CHECK(s.mean_iou == 0.5);
}

TEST_CASE("ignored pixels count in no class, whatever is predicted") {
  const score with = scored(3, {0, 255, 1, 255, 255, 1}, {0, 0, 1, 2, 1, 0}), without = scored(3, {0, 1, 1}, {0, 1, 0});
  CHECK(with.of_class == without.of_class);
  CHECK(with.of_class == std::vector<double>{0.5, 0.5, score::absent});
  CHECK(with.accuracy == without.accuracy);
}

TEST_CASE("images are summed before they are divided, and no pixels give zeros") {
  confusion counts(2, 255);
  counts.add(std::vector<std::uint8_t>{1, 1, 1, 0}, std::vector<std::uint8_t>{1, 1, 1, 0});
  counts.add(std::vector<std::uint8_t>{1}, std::vector<std::uint8_t>{0});
  CHECK(counts.scored().of_class == std::vector<double>{0.5, 0.75});  // the mean of the images' would be 0.5
  const score none = scored(2, {255, 255}, {0, 1});
  CHECK(none.mean_iou == 0);
  CHECK(none.accuracy == 0);
}
