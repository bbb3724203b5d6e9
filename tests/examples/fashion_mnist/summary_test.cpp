// SPDX-License-Identifier: MIT
#include "summary.hpp"
#include "sentences.hpp"

#include <doctest/doctest.h>

#include <cmath>

using test::begins;

namespace {

demo::history run(const char* recipe, std::uint64_t seed, double accuracy, double calibration, int epochs = 3) {
  return {.recipe = recipe,
          .seed = seed,
          .epochs = epochs,
          .complete = epochs == 3,
          .accuracy = accuracy,
          .calibration_error = calibration,
          .seconds = 1};
}

}  // namespace

TEST_CASE("spread_of gives the mean and the sample standard deviation") {
  const std::vector<double> numbers = {1, 2, 3, 4};
  CHECK(demo::spread_of(numbers).mean == 2.5);
  CHECK(demo::spread_of(numbers).deviation == doctest::Approx(std::sqrt(5.0 / 3)));
  CHECK(demo::spread_of(std::vector<double>{7}).deviation == 0);
  CHECK(demo::spread_of({}).mean == 0);
}

TEST_CASE("summarise gives means of complete trainings, rows for interrupted ones, and none without an epoch") {
  const std::vector<demo::history> all = {run("a", 1, 0.5, 0), run("b", 1, 0.6, 0), run("a", 2, 0.7, 0),
                                          run("b", 2, 0.8, 0, 1), run("a", 3, 0, 0, 0)};
  const auto rows = demo::summarise(all, 3);
  REQUIRE(rows.size() == 3);
  CHECK(rows[0].recipe == "a");
  CHECK(rows[0].runs == 2);
  CHECK(rows[0].accuracy.mean == doctest::Approx(0.6));
  CHECK(rows[1].runs == 1);
  CHECK_FALSE(rows[2].complete());
  CHECK(demo::label_of(rows[2]) == "b (1 of 3 epochs)");
  CHECK(demo::table_text(rows).find("60.00 ± 14.14 %") != std::string::npos);
}

TEST_CASE("verdict_on_order holds if every mean is above the one before") {
  const demo::recipe_group group{"g", {"a", "b", "c"}, {"a", "b", "c"}, "X"};
  std::vector<demo::history> all = {run("a", 1, 0.80, 0), run("b", 1, 0.81, 0), run("c", 1, 0.85, 0)};
  CHECK(demo::verdict_on_order(group, all) ==
        "The ordering of X holds here: a < b < c; points above the one before: b +1.00, c +4.00.");
  for (demo::history h : {run("a", 2, 0.90, 0), run("b", 2, 0.91, 0), run("c", 2, 0.85, 0)}) all.push_back(h);
  CHECK(demo::verdict_on_order(group, all) ==
        "The ordering of X does not hold here: a < b < c; points above the one before: b +1.00 (standard error 0.00), "
        "c -1.00 (standard error 5.00).");
  CHECK(demo::verdict_on_order(group, {run("a", 1, 0.8, 0), run("b", 1, 0.9, 0)}).empty());
  CHECK(demo::verdict_on_order({"g", {"a", "b"}}, all).empty());
  CHECK(demo::verdict_on("a", all, 100).empty());
  CHECK(demo::verdict_on("c", all, 100) == demo::verdict(all, 100).at(1));
}

TEST_CASE("the verdict states the difference and whether it is clear") {
  const auto judge = [](std::initializer_list<demo::history> all) { return demo::verdict(all, 10000).at(0); };
  CHECK(begins(judge({run("a", 1, 0.90, 0.02), run("b", 1, 0.92, 0.01)}), "b beat a: +2.00 points"));
  CHECK(begins(judge({run("a", 1, 0.90, 0.02), run("b", 1, 0.901, 0.01)}), "b was ahead of a, but not clearly: +0.10"));
  CHECK(begins(judge({run("a", 1, 0.90, 0.02), run("b", 1, 0.899, 0.01)}), "b did not help over a: -0.10"));
  CHECK(begins(judge({run("a", 1, 0.90, 0.02), run("b", 1, 0.88, 0.01)}), "b did worse than a: -2.00"));
  CHECK(begins(judge({run("a", 1, 0.90, 0.02), run("b", 1, 0.90, 0.02)}), "b did not help over a: +0.00"));
  CHECK(begins(judge({run("a", 1, 0.90, 0), run("b", 1, 0.91, 0), run("a", 2, 0.90, 0), run("b", 2, 0.91, 0)}),
               "b beat a: +1.00 points of test accuracy on the mean of 2 seeds"));
  CHECK(begins(judge({run("a", 1, 0.90, 0), run("b", 1, 0.92, 0), run("a", 2, 0.90, 0), run("b", 2, 0.89, 0)}),
               "b was ahead of a, but not clearly: +0.50"));
  CHECK(judge({run("a", 1, 0.9, 0.02), run("b", 1, 0.9, 0.05)}).ends_with("3.00 points higher (worse)."));
  CHECK(judge({run("a", 1, 0.9, 0.05), run("b", 1, 0.9, 0.02)}).ends_with("3.00 points lower (better)."));
  CHECK(begins(judge({run("a", 1, 0.90, 0), run("b", 1, 0.92, 0, 2)}), "No verdict on b"));
  CHECK(demo::verdict(std::vector{run("a", 1, 0.9, 0)}, 10000).empty());
}
