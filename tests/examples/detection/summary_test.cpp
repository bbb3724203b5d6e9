// SPDX-License-Identifier: MIT
#include "summary.hpp"
#include "sentences.hpp"

#include <doctest/doctest.h>

using namespace detection;
using test::begins;

namespace {

history run(const char* recipe, std::uint64_t seed, double ap, bool complete = true) {
  history h{.recipe = recipe, .seed = seed, .epochs = complete ? 3 : 1, .complete = complete};
  h.result.mean = ap;
  h.result.at.fill(ap);
  h.result.at[0] = 2 * ap;
  return h;
}

}  // namespace

TEST_CASE("summarise gives means of complete trainings, and interrupted ones in rows of their own") {
  const auto rows = summarise({run("a", 1, 0.25), run("b", 1, 0.5), run("a", 2, 0.75), run("b", 2, 0.5, false)});
  REQUIRE(rows.size() == 3);
  CHECK(rows[0].runs == 2);
  CHECK(rows[0].mean.mean == 0.5);
  CHECK(rows[0].half.mean == 1);
  CHECK_FALSE(rows[2].complete);
  CHECK(table_text(rows).find("50.0 ± 35.4") != std::string::npos);
  CHECK(table_text(rows).find("b (after epoch 1)") != std::string::npos);
}

TEST_CASE("verdicts state whether an ordering holds, and how clearly") {
  const auto first = [](std::vector<history> all) { return verdicts(all).at(0); };
  const std::string ordering = "RetinaNet's ordering (focal loss above plain cross-entropy) ";
  CHECK(
      begins(first({run("giou", 1, 0.4), run("bce", 1, 0.3)}), ordering + "holds here, but not clearly: +10.0 points"));
  CHECK(begins(first({run("giou", 1, 0.3), run("bce", 1, 0.4)}),
               ordering + "does not hold here, but not clearly: -10.0"));
  CHECK(begins(first({run("giou", 1, 0.4), run("bce", 1, 0.3), run("giou", 2, 0.41), run("bce", 2, 0.3)}),
               ordering + "holds here: +10.5 points (standard error 0.5) (mean of 2 seeds"));
  const auto three = verdicts({run("giou", 1, 0.4), run("balanced_bce", 1, 0.2), run("bce", 1, 0.3)});
  REQUIRE(three.size() == 3);
  CHECK(begins(three[1],
               "Its middle step (cross-entropy with weights above plain) does not hold here, but not clearly: -10.0"));
  CHECK(begins(three[2],
               "Its last step (focal loss above cross-entropy with weights) holds here, but not clearly: +20.0"));
  CHECK(begins(first({run("iou", 1, 0.4), run("diou", 1, 0.42)}), "diou is above iou, but not clearly: +2.0 points"));
  CHECK(begins(first({run("iou", 1, 0.4), run("diou", 1, 0.3), run("iou", 2, 0.4), run("diou", 2, 0.3)}),
               "diou is not above iou: -10.0 points"));
  CHECK(verdicts({run("giou", 1, 0.4)}).empty());
  CHECK(verdicts({run("giou", 1, 0.4), run("bce", 1, 0.3, false)}).empty());
}
