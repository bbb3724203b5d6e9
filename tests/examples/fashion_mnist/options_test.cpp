// SPDX-License-Identifier: MIT
#include "options.hpp"

#include <doctest/doctest.h>

namespace {

demo::options parse(std::initializer_list<const char*> arguments) {
  return demo::parse({arguments.begin(), arguments.size()});
}

}  // namespace

TEST_CASE("options are parsed in both forms") {
  const demo::options o = parse({"--data", "a folder", "--seeds=3", "--epochs", "2", "--threads=4", "--batch", "16",
                                 "--rate=0.5", "--report", "x.html", "--recipes", "refined,baseline", "--validation"});
  CHECK(o.data == "a folder");
  CHECK(o.seeds == 3);
  CHECK(o.epochs == 2);
  CHECK(o.threads == 4);
  CHECK(o.batch == 16);
  CHECK(o.rate == 0.5);
  CHECK(o.report == "x.html");
  CHECK(o.recipes == std::vector<std::string>{"refined", "baseline"});
  CHECK(o.validation);
  CHECK_FALSE(o.quick);
}

TEST_CASE("options have their documented defaults") {
  const demo::options o = parse({});
  CHECK(o.seeds == 1);
  CHECK(o.data.empty());
  CHECK_FALSE(o.rate.has_value());
  CHECK(o.recipes == std::vector<std::string>{"baseline", "refined", "ema"});
  CHECK(parse({"--quick"}).epochs == 2);
  CHECK(parse({"--quick", "--epochs", "5"}).epochs == 5);
}

TEST_CASE("invalid options throw with the option and the value") {
  using error = demo::usage_error;
  CHECK_THROWS_WITH_AS(parse({"--sedes", "3"}), "unknown option '--sedes'", error);
  CHECK_THROWS_WITH_AS(parse({"data"}), "unknown option 'data'", error);
  CHECK_THROWS_WITH_AS(parse({""}), "unknown option ''", error);
  CHECK_THROWS_WITH_AS(parse({"--seeds"}), "--seeds needs a value", error);
  CHECK_THROWS_WITH_AS(parse({"--quick=1"}), "--quick takes no value", error);
  CHECK_THROWS_WITH_AS(parse({"--epochs", "0"}), "--epochs is '0', must be a whole number from 1 to 1000", error);
  CHECK_THROWS_WITH_AS(parse({"--data="}), "--data is empty", error);
  CHECK_THROWS_WITH_AS(parse({"--recipes", "baseline,baseline"}), "--recipes names 'baseline' twice", error);
  for (const char* bad : {"", "-1", "1.5", "3x", " 3", "three", "99999999999999999999"}) {
    CAPTURE(bad);
    CHECK_THROWS_AS(parse({"--seeds", bad}), error);
    CHECK_THROWS_AS(parse({"--threads", bad}), error);
    CHECK_THROWS_AS(parse({"--batch", bad}), error);
  }
  for (const char* bad : {"", "0", "-0.1", "nan", "inf", "1e9", "0.1x"}) {
    CAPTURE(bad);
    CHECK_THROWS_AS(parse({"--rate", bad}), error);
  }
  for (const char* bad : {"", ",", "baseline,", ",baseline"}) {
    CAPTURE(bad);
    CHECK_THROWS_AS(parse({"--recipes", bad}), error);
  }
}

TEST_CASE("the help names every option") {
  const std::string help = demo::help_text();
  for (const char* name : {"--data", "--seeds", "--epochs", "--threads", "--batch", "--rate", "--report", "--recipes",
                           "--validation", "--quick", "--help"})
    CHECK(help.find(name) != std::string::npos);
}
