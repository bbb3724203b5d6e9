// SPDX-License-Identifier: MIT
// The program as its user sees it.
#include "program.hpp"
#include "idx_files.hpp"
#include "summary.hpp"

using test::has;

TEST_CASE("the program gives the same numbers for any number of jobs, and a verdict") {
  test::folder folder;
  test::write_data(folder.path, 120, 40);
  const auto numbers = [&](const char* jobs) {
    const test::outcome o = test::run({"--quick", "--data", folder.path.string(), "--jobs", jobs});
    CHECK(o.exit_code == 0);
    CHECK(has(o.text, "deformable seed 2 epoch 2/2"));
    CHECK(has(o.text, "hold here: "));
    return o.text.substr(o.text.find("A deformable convolution errs"));
  };
  CHECK(numbers("1") == numbers("2"));
}

TEST_CASE("invalid options exit with code 2, missing data with code 1") {
  CHECK(test::run({"--seeds", "0"}).exit_code == 2);
  CHECK(test::run({"--data", "/nowhere"}).exit_code == 1);
  CHECK(test::run({"--help"}).exit_code == 0);
}

TEST_CASE("the verdict is that of the numbers") {
  using deformable::outcome;
  std::vector<outcome> all;
  for (const std::uint64_t seed : {1u, 2u, 3u}) {
    const double error = 0.2 + 0.01 * static_cast<double>(seed);
    all.push_back({.with_offsets = false, .seed = seed, .error = error});
    all.push_back({.with_offsets = true, .seed = seed, .error = error - 0.02 - 0.001 * static_cast<double>(seed)});
  }
  CHECK(has(deformable::verdict(all), " holds here: -2.20 points"));
  for (outcome& o : all) o.with_offsets = !o.with_offsets;
  CHECK(has(deformable::verdict(all), " does not hold here: +2.20 points"));
  all[1].error = 0.01;
  CHECK(has(deformable::verdict(all), " does not hold here: "));
}
