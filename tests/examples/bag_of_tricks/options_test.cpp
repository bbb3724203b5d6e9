// SPDX-License-Identifier: MIT
#include "options.hpp"

#include <doctest/doctest.h>

namespace {

ladder::options parse(std::initializer_list<const char*> arguments) {
  return ladder::parse({arguments.begin(), arguments.size()});
}

}  // namespace

TEST_CASE("options are parsed in both forms") {
  const ladder::options o = parse({"--seeds", "3", "--quick", "--networks=demo", "--experiment", "all", "--sets",
                                   "baseline,schedule+mixup", "--jobs", "4", "--alpha=0.5"});
  CHECK(o.plan.seeds == 3);
  CHECK(o.plan.images == 2400);
  CHECK(o.networks == std::vector<std::string>{"demo"});
  CHECK(o.experiments.size() == 6);
  REQUIRE(o.sets.size() == 2);
  CHECK(o.sets[0] == ladder::tricks{});
  CHECK(o.sets[1] == ladder::tricks{.schedule = true, .mixup = true});
  CHECK(o.jobs == 4);
  CHECK(o.plan.alpha == 0.5);
  CHECK(parse({}).plan.seeds == 5);
}

TEST_CASE("--structure chooses any pieces") {
  using ladder::structure;
  CHECK(parse({}).with == structure{.d = true});
  CHECK(parse({"--structure", "none"}).with == structure{.d = false});
  CHECK(parse({"--structure=drop_path,d"}).with == structure{.d = true, .drop_path = true});
  CHECK(parse({"--structure", "all"}).with == structure{.d = true, .se = true, .drop_path = true});
  CHECK_THROWS_WITH_AS(parse({"--structure", "d,eca"}), "--structure has 'eca'; there are d, se, drop_path",
                       ladder::usage_error);
}

TEST_CASE("invalid options throw with the option and the value") {
  using error = ladder::usage_error;
  CHECK_THROWS_WITH_AS(parse({"--sedes", "3"}), "unknown option '--sedes'", error);
  CHECK_THROWS_WITH_AS(parse({"--seeds"}), "--seeds needs a value", error);
  CHECK_THROWS_WITH_AS(parse({"--tiny=1"}), "--tiny takes no value", error);
  CHECK_THROWS_WITH_AS(parse({"--seeds", "0"}), "--seeds is '0', must be a whole number from 1 to 1000", error);
  CHECK_THROWS_WITH_AS(parse({"--work="}), "--work is empty", error);
  CHECK_THROWS_WITH_AS(parse({"--networks", "demo,vgg"}),
                       "--networks has 'vgg'; there are demo, residual, wide, narrow", error);
  CHECK_THROWS_AS(parse({"--experiment", "nonsense"}), error);
  CHECK_THROWS_AS(parse({"--sets", "schedule+nonsense"}), error);
  for (const char* bad : {"", "-1", "1.5", "3x", " 3", "nan"}) {
    CAPTURE(bad);
    CHECK_THROWS_AS(parse({"--epochs", bad}), error);
    CHECK_THROWS_AS(parse({"--jobs", bad}), error);
  }
  for (const char* bad : {"", "0", "-0.1", "nan", "inf", "1e9"}) CHECK_THROWS_AS(parse({"--rate", bad}), error);
}

TEST_CASE("rungs add one trick each, and leave_one_out removes one each") {
  const auto with_norms = ladder::rungs(true), without = ladder::rungs(false);
  CHECK(with_norms.size() == 8);
  CHECK(without.size() == 7);
  CHECK_FALSE(without.back().with.zero_gamma);
  CHECK(ladder::name_of(with_norms[3].with) == "schedule+smoothing+mixup");
  const auto omitted = ladder::leave_one_out(true);
  CHECK(omitted.size() == 7);
  CHECK(omitted.back().with == with_norms[6].with);  // trained once
}

TEST_CASE("training ids are different for different trainings") {
  ladder::training t{.network = "narrow", .with = {.schedule = true}, .seed = 2, .epochs = 5};
  CHECK(t.id() == "narrow-schedule-e5-seed2");
  t.missing = 3, t.teacher = "wide-x", t.soft_weight = 0.5;
  CHECK(t.id() == "narrow-schedule-e5-without3-soft0.5-by-wide-x-seed2");
  CHECK(ladder::suffix_of({}).empty());  // records from before there were structures
  CHECK(ladder::suffix_of({.d = false}) == "+none");
  CHECK(ladder::suffix_of({.d = true, .se = true, .drop_path = true}) == "+d+se+drop_path");
}
