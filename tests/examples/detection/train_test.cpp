// SPDX-License-Identifier: MIT
#include "train.hpp"
#include "canvases.hpp"
#include "idx_files.hpp"
#include "trainings.hpp"

#include <doctest/doctest.h>

using namespace detection;
using test::of_epoch;

namespace {

using silent = test::silent<average_precision>;

const scene_set& few() {
  static const scene_set set = [] {
    const test::folder folder;
    test::write_data(folder.path, 100, 50);
    const demo::dataset items = demo::read_dataset(folder.path);
    return canvases(items.train, items.test, 48, 12, 1);
  }();
  return set;
}

history trained(const recipe& r, int threads, int epochs = 2) {
  silent nobody;
  return train(r, few(), {epochs, 8, 0.002}, threads, 1, nobody);
}

}  // namespace

TEST_CASE("a short training with every recipe reduces both losses") {
  for (const recipe& r : all_recipes()) {
    CAPTURE(r.name);
    const history h = trained(r, 2, 4);
    REQUIRE(h.complete);
    CHECK(of_epoch(h.class_loss, 4) < 0.97 * of_epoch(h.class_loss, 1));
    CHECK(of_epoch(h.box_loss, 4) < 0.8 * of_epoch(h.box_loss, 1));
    CHECK(h.precision.size() == 4);
    CHECK(h.found.size() == few().test.size());
    CHECK(h.negatives_per_positive > 500);
    CHECK(h.negatives_per_positive < 2000);
  }
}

TEST_CASE("training gives the same numbers for the same seed on any number of threads") {
  const recipe r = all_recipes().front();
  const history one = trained(r, 1), many = trained(r, 5);
  CHECK(one.class_loss.back().value == many.class_loss.back().value);
  CHECK(one.box_loss.back().value == many.box_loss.back().value);
  CHECK(one.result.mean == many.result.mean);
}

TEST_CASE("a non-finite loss ends the training with an exception") {
  silent nobody;
  CHECK_THROWS_AS(train(all_recipes().front(), few(), {40, 8, 1e5}, 2, 1, nobody), divergence);
}
