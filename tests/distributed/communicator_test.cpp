// SPDX-License-Identifier: MIT
#include <hone/distributed/agreement.hpp>
#include <hone/distributed/exact_sum.hpp>

#include "../support/ranks.hpp"

#include <doctest/doctest.h>

#include <array>
#include <cstring>
#include <vector>

namespace {

TEST_CASE("a communicator sums, takes the largest and broadcasts") {
  for (const int n : numbers_of_ranks)
    on_ranks(n, [n](auto const& ranks) {
      static_assert(hone::communicator<std::remove_cvref_t<decltype(ranks)>>);
      REQUIRE(ranks.size() == n);
      const int r = ranks.rank();
      std::array<std::int64_t, 3> integers{1, r, (std::int64_t(1) << 40) + r};
      ranks.sum(integers);
      const std::int64_t of_ranks = n * (n - 1) / 2;
      CHECK(integers == std::array<std::int64_t, 3>{n, of_ranks, n * (std::int64_t(1) << 40) + of_ranks});
      std::array<double, 2> numbers{0.5, double(r)}, largest{-double(r), double(r)};
      ranks.sum(numbers), ranks.max(largest);
      CHECK(numbers == std::array<double, 2>{0.5 * n, double(of_ranks)});
      CHECK(largest == std::array<double, 2>{0, double(n - 1)});
      for (int root = 0; root < n; ++root) {
        std::array<std::byte, 5> bytes;
        bytes.fill(std::byte(r));
        ranks.broadcast(bytes, root);
        CHECK(bytes[0] == std::byte(root));
        CHECK(bytes[4] == std::byte(root));
      }
      ranks.sum(std::span<std::int64_t>());
      ranks.barrier();
    });
}

TEST_CASE("an exact sum over ranks has the same bits for any number of ranks") {
  const double whole[] = {1e16, 0.1, -1e16, 3e-320, 0.2, 1, -7, 0.3, 1e-30};
  hone::exact_sum alone;
  for (const double x : whole) alone.add(x);
  for (const int n : numbers_of_ranks)
    on_ranks(n, [&](auto const& ranks) {
      hone::exact_sum sum;
      for (std::size_t i = 0; i < std::size(whole); ++i)
        if (int(i) % n == ranks.rank()) sum.add(whole[i]);
      ranks.sum(sum.words());
      CHECK(sum.value() == alone.value());
    });
}

TEST_CASE("where one rank fails, all do, and none waits for it") {
  for (const int n : {2, 4})
    on_ranks(n, [n](auto const& ranks) {
      const auto call = [&](int wrong) {
        hone::detail::agree(ranks, "update", [&] {
          if (ranks.rank() == wrong) throw hone::invalid_argument("update: decay is 2, must be in [0, 1]");
        });
      };
      call(-1);
      if (ranks.rank() == 1)
        CHECK_THROWS_WITH_AS(call(1), "update: decay is 2, must be in [0, 1]", hone::invalid_argument);
      else
        CHECK_THROWS_WITH_AS(call(1), ("update: rank 1 of " + std::to_string(n) + " failed").c_str(), hone::rank_error);
      call(-1);  // the group is as it was
    });
}

#ifndef HONE_TEST_RANKS
TEST_CASE("run_ranks: a rank that ends with an error stops the others, and its error is thrown") {
  CHECK_THROWS_WITH_AS(hone::run_ranks(4,
                                       [](auto const& ranks) {
                                         if (ranks.rank() == 2) throw std::runtime_error("of rank 2");
                                         ranks.barrier();
                                         ranks.barrier();
                                       }),
                       "of rank 2", std::runtime_error);
}

TEST_CASE("run_ranks: a rank that does not come is waited for no longer than the time limit") {
  CHECK_THROWS_WITH_AS(hone::run_ranks(
                           2,
                           [](auto const& ranks) {
                             if (ranks.rank() == 0) ranks.barrier();
                           },
                           std::chrono::milliseconds(50)),
                       "thread_rank: a rank did not take part within the time limit", hone::communicator_error);
}
#endif

}  // namespace
