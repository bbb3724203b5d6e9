// SPDX-License-Identifier: MIT
#include "summary.hpp"
#include "sentences.hpp"

#include <doctest/doctest.h>

using namespace segmentation;
using test::begins;

namespace {

history run(const char* recipe, std::uint64_t seed, double iou, bool complete = true) {
  history h{.recipe = recipe, .seed = seed, .epochs = complete ? 3 : 1, .complete = complete};
  h.result = {iou, 0.9, {0.8, iou, score::absent, iou / 2}};
  return h;
}

}  // namespace

TEST_CASE("summarise gives means of complete trainings, and interrupted ones in rows of their own") {
  const auto rows = summarise({run("a", 1, 0.25), run("b", 1, 0.5), run("a", 2, 0.75), run("b", 2, 0.5, false)});
  REQUIRE(rows.size() == 3);
  CHECK(rows[0].runs == 2);
  CHECK(rows[0].mean_iou.mean == 0.5);
  CHECK(rows[0].items.mean == 0.375);  // of the classes 1 and 3; 2 is absent
  CHECK(rows[0].of_class[3].mean == 0.25);
  CHECK_FALSE(rows[2].complete);
  CHECK(table_text(rows).find("50.00 ± 35.36") != std::string::npos);
  CHECK(table_text(rows).find("b (after epoch 1)") != std::string::npos);
}

TEST_CASE("verdicts compare each recipe with the base, seed by seed") {
  const auto first = [](const std::vector<history>& all) { return verdicts(all, "ce").at(0); };
  CHECK(begins(first({run("ce", 1, 0.3), run("dice", 1, 0.4)}), "dice is above ce, with one seed: +10.00 points"));
  CHECK(begins(first({run("ce", 1, 0.4), run("dice", 1, 0.4)}), "dice is not above ce, with one seed: +0.00 points"));
  const std::vector<history> clear = {run("ce", 1, 0.3),    run("dice", 1, 0.4), run("ce", 2, 0.2),
                                      run("dice", 2, 0.31), run("ce", 3, 0.4),   run("dice", 3, 0.49)};
  CHECK(begins(first(clear),
               "dice is above ce: +10.00 ± 1.00 points of mean IoU (3 seeds, lower in 0, paired t-test p 0.0033"));
  std::vector<history> below = clear;
  for (history& h : below) h.recipe = h.recipe == "ce" ? "dice" : "ce";
  CHECK(begins(first(below), "dice is below ce: -10.00 ± 1.00 points"));
  const std::vector<history> mixed = {run("ce", 1, 0.3), run("dice", 1, 0.4), run("ce", 2, 0.4), run("dice", 2, 0.32)};
  CHECK(begins(first(mixed),
               "dice does not clearly differ from ce: +1.00 ± 12.73 points of mean IoU (2 seeds, lower in 1"));
  CHECK(verdicts({run("dice", 1, 0.4), run("ce", 1, 0.3, false)}, "ce").empty());
  CHECK(verdicts({run("ce", 1, 0.4)}, "ce").empty());
}
