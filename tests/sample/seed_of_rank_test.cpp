// SPDX-License-Identifier: MIT
#include <hone/sample/mixup_or_cutmix.hpp>
#include <hone/sample/seed_of_rank.hpp>
#include <hone/structure/drop_path.hpp>

#include "support/message.hpp"

#include <doctest/doctest.h>

#include <cstdint>
#include <limits>
#include <set>
#include <span>
#include <vector>

TEST_CASE("seeds of ranks are distinct, and the same on every machine") {
  std::set<std::int64_t> seen;
  for (const std::int64_t seed : {std::int64_t(0), std::int64_t(1), std::int64_t(-1), std::int64_t(1) << 40})
    for (int rank = 0; rank < 10000; ++rank) seen.insert(hone::seed_of_rank(seed, rank));
  CHECK(seen.size() == 40000);
  const std::int64_t large = (std::numeric_limits<std::int64_t>::max)();
  CHECK(hone::seed_of_rank(1, large).value != hone::seed_of_rank(1, large - 1).value);
  CHECK(hone::seed_of_rank(1, 0).value == -3446632444377962653);
  CHECK(hone::seed_of_rank(1, 1).value == -1258303307577688898);
  CHECK(support::message([] { hone::seed_of_rank(1, -1); }) == "seed_of_rank: rank is -1, must be at least 0");
}

TEST_CASE("ranks draw other mixtures and drop other paths in the same step, and replay them") {
  const hone::mixup_or_cutmix policy{};
  std::vector<std::vector<float>> lambdas, kept;
  for (int rank = 0; rank < 8; ++rank) {
    const auto seed = hone::seed_of_rank(42, rank);
    const auto draw = policy.draw(seed, 7, 32, 8, 8), again = policy.draw(hone::seed_of_rank(42, rank), 7, 32, 8, 8);
    CHECK(draw.lambda == again.lambda);
    CHECK(draw.boxes == again.boxes);
    std::vector<float> factors(64);
    hone::drop_path{.rate = 0.5}.draw(seed, 7, 0, std::span(factors));
    for (int other = 0; other < rank; ++other) {
      CHECK(draw.lambda != lambdas[static_cast<std::size_t>(other)]);
      CHECK(factors != kept[static_cast<std::size_t>(other)]);
    }
    lambdas.push_back(draw.lambda), kept.push_back(factors);
  }
}
