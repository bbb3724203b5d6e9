// SPDX-License-Identifier: MIT
#include "train.hpp"
#include "idx_files.hpp"
#include "trainings.hpp"

#include <doctest/doctest.h>

using namespace segmentation;
using test::of_epoch;

namespace {

using silent = test::silent<score>;

const canvas_set& few() {
  static const canvas_set set = [] {
    const test::folder folder;
    test::write_data(folder.path, 100, 50);
    const demo::dataset items = demo::read_dataset(folder.path);
    return canvases(items.train, items.test, 24, 8, 1);
  }();
  return set;
}

history trained(const recipe& r, int threads, int epochs = 2) {
  silent nobody;
  return train(r, few(), {epochs, 8, 0.03}, threads, 1, nobody);
}

}  // namespace

TEST_CASE("every recipe is the sum of its terms, and leaves ignored pixels alone") {
  const std::size_t n = 2, pixels = 4;
  std::vector<float> logits(n * classes * pixels), gradient(logits.size());
  for (std::size_t i = 0; i < logits.size(); ++i) logits[i] = static_cast<float>((i * 37) % 11) / 4;
  const std::vector<std::uint8_t> labels = {0, 3, ignored, 10, 0, 0, 7, ignored};
  const hone::cpu cpu(1);
  const hone::image_view<const float> z{logits.data(), n, classes, 2, 2};
  const auto target = hone::classes(labels, {.ignore = ignored});
  const double ce = hone::evaluate(cpu, hone::cross_entropy(target), z),
               focal = hone::evaluate(cpu, hone::softmax_focal_loss(target), z),
               dice = hone::evaluate(cpu, hone::dice_loss(target), z),
               lovasz = hone::evaluate(cpu, hone::lovasz_softmax_loss(target), z);
  const double wanted[] = {ce, ce + dice, focal + dice, ce + lovasz};
  const std::vector<recipe> all = all_recipes();
  REQUIRE(all.size() == std::size(wanted));
  for (std::size_t r = 0; r < all.size(); ++r) {
    CAPTURE(all[r].name);
    std::fill(gradient.begin(), gradient.end(), -1.0f);
    const double value = all[r].loss(cpu, {z, labels, {gradient.data(), n, classes, 2, 2}});
    CHECK(value == doctest::Approx(wanted[r]).epsilon(1e-6));
    for (std::size_t i = 0; i < gradient.size(); ++i) {
      const std::size_t pixel = i / (classes * pixels) * pixels + i % pixels;
      CHECK((gradient[i] == 0) == (labels[pixel] == ignored));
    }
  }
}

TEST_CASE("a short training with every recipe reduces its loss") {
  for (const recipe& r : all_recipes()) {
    CAPTURE(r.name);
    const history h = trained(r, 2, 6);
    REQUIRE(h.complete);
    CHECK(of_epoch(h.loss, 6) < 0.9 * of_epoch(h.loss, 1));
    CHECK(h.curve.size() == 6);
    CHECK(h.curve.back().value == h.result.mean_iou);
    CHECK(h.found.size() == few().test.size());
  }
}

TEST_CASE("training gives the same numbers for the same seed on any number of threads") {
  const recipe r = all_recipes().back();
  const history one = trained(r, 1), many = trained(r, 5);
  CHECK(one.loss.back().value == many.loss.back().value);
  CHECK(one.result.mean_iou == many.result.mean_iou);
  CHECK(one.found == many.found);
}

TEST_CASE("a non-finite loss ends the training with an exception") {
  silent nobody;
  CHECK_THROWS_AS(train(all_recipes().front(), few(), {40, 8, 1e7}, 2, 1, nobody), divergence);
}
