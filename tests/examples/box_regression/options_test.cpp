// SPDX-License-Identifier: MIT
#include "options.hpp"

#include <doctest/doctest.h>

namespace {

regression::options parse(std::initializer_list<const char*> arguments) {
  return regression::parse({arguments.begin(), arguments.size()});
}

}  // namespace

TEST_CASE("options are parsed in both forms") {
  const regression::options o = parse({"--points", "12", "--threads=3", "--out", "x.html"});
  CHECK(o.points == 12);
  CHECK(o.threads == 3);
  CHECK(o.out == "x.html");
  CHECK_FALSE(o.help);
  CHECK(parse({"--help"}).help);
}

TEST_CASE("points defaults to 500, and --full sets 5000") {
  CHECK(parse({}).points == 500);
  CHECK(parse({"--full"}).points == 5000);
}

TEST_CASE("invalid options throw with the option and the value") {
  using error = regression::usage_error;
  CHECK_THROWS_WITH_AS(parse({"--pionts", "3"}), "unknown option '--pionts'", error);
  CHECK_THROWS_WITH_AS(parse({"full"}), "unknown option 'full'", error);
  CHECK_THROWS_WITH_AS(parse({""}), "unknown option ''", error);
  CHECK_THROWS_WITH_AS(parse({"--points"}), "--points needs a value", error);
  CHECK_THROWS_WITH_AS(parse({"--full=1"}), "--full takes no value", error);
  CHECK_THROWS_WITH_AS(parse({"--out="}), "--out is empty", error);
  CHECK_THROWS_WITH_AS(parse({"--full", "--points", "3"}), "--full and --points exclude each other", error);
  CHECK_THROWS_WITH_AS(parse({"--points", "5001"}), "--points is '5001', must be a whole number from 1 to 5000", error);
  for (const char* bad : {"", "0", "-1", "1.5", "3x", " 3", "three", "99999999999999999999"}) {
    CAPTURE(bad);
    CHECK_THROWS_AS(parse({"--points", bad}), error);
    CHECK_THROWS_AS(parse({"--threads", bad}), error);
  }
}

TEST_CASE("the help names every option") {
  for (const char* name : {"--full", "--points", "--threads", "--out", "--help"})
    CHECK(regression::help_text().find(name) != std::string::npos);
}
