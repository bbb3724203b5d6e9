// SPDX-License-Identifier: MIT
#include <hone/average/ema.hpp>
#include <hone/cpu/distributed/replicas.hpp>
#include <hone/cpu/tensors/update.hpp>
#include <hone/distributed/broadcast.hpp>

#include "../support/message.hpp"
#include "../support/ranks.hpp"
#include "../support/same_bytes.hpp"

#include <doctest/doctest.h>

#include <cstdint>
#include <limits>
#include <random>
#include <string>
#include <vector>

namespace {

using support::error_of;

TEST_CASE("checksum64: every bit of every byte counts, and the order of words") {
  std::vector<unsigned char> bytes(75);
  std::mt19937 random(1);
  for (auto& b : bytes) b = static_cast<unsigned char>(random());
  const auto of = [&](std::size_t n) {
    hone::detail::checksum64 sum;
    sum.add(bytes.data(), n);
    return sum.value();
  };
  for (std::size_t n = 1; n <= bytes.size(); ++n) {
    const std::uint64_t before = of(n);
    CHECK(before != of(n - 1));
    for (std::size_t i = 0; i < n; ++i)
      for (int bit = 0; bit < 8; ++bit) {
        bytes[i] = static_cast<unsigned char>(bytes[i] ^ 1 << bit);
        REQUIRE(of(n) != before);
        bytes[i] = static_cast<unsigned char>(bytes[i] ^ 1 << bit);
      }
  }
  std::swap(bytes[0], bytes[32]);
  const std::uint64_t swapped = of(64);
  std::swap(bytes[0], bytes[32]);
  CHECK(of(64) != swapped);
  bytes.assign(64, 0);
  const std::uint64_t zeros = of(64);
  bytes[7] = bytes[39] = 0x80;  // two doubles of one lane become -0
  CHECK(of(64) != zeros);
}

TEST_CASE("same_on_ranks is true only where the numbers of all ranks are equal") {
  std::mt19937_64 random(2);
  for (const int n : numbers_of_ranks) {
    const std::uint64_t number = random();
    on_ranks(n, [&](auto const& ranks) {
      CHECK(hone::detail::same_on_ranks(ranks, "f", [&] { return number; }));
      for (int bit = 0; bit < 64 && n > 1; ++bit)
        CHECK(!hone::detail::same_on_ranks(
            ranks, "f", [&] { return ranks.rank() == n - 1 ? number ^ std::uint64_t(1) << bit : number; }));
    });
  }
}

TEST_CASE("broadcast copies tensors of every type from a root") {
  for (const int n : numbers_of_ranks)
    on_ranks(n, [n](auto const& ranks) {
      const int r = ranks.rank(), root = n - 1;
      std::vector<float> weight(400000, float(r)), none;  // more than one piece
      std::vector<std::int64_t> counter{r};
      weight[7] = r == root ? -0.0f : 1;
      hone::broadcast(ranks, hone::tensor_list<float>{{weight.data(), 4, 100000}, {none.data(), 0}}, root);
      hone::broadcast(ranks, hone::tensor_list<std::int64_t>{{counter.data(), 1}}, root);
      CHECK(std::signbit(weight[7]));
      CHECK(weight[399999] == float(root));
      CHECK(counter[0] == root);
    });
}

TEST_CASE("broadcast: ranks that do not fit together write nothing, and none waits") {
  on_ranks(2, [](auto const& ranks) {
    std::vector<float> x(4, float(ranks.rank()));
    const hone::tensor_list<float> four{{x.data(), 4}}, own{{x.data(), 4 - ranks.rank()}};
    CHECK(error_of([&] { hone::broadcast(ranks, own); }) ==
          "broadcast: list or root is not of the same sizes on all ranks");
    CHECK(error_of([&] { hone::broadcast(ranks, four, ranks.rank()); }) ==
          "broadcast: list or root is not of the same sizes on all ranks");
    CHECK(error_of([&] { hone::broadcast(ranks, four, ranks.rank() == 0 ? 0 : 2); }) ==
          (ranks.rank() == 0 ? "broadcast: rank 1 of 2 failed" : "broadcast: root is 2, must be a rank"));
    CHECK(x[0] == float(ranks.rank()));
  });
}

TEST_CASE("broadcast copies an average with its number of updates") {
  for (const int n : numbers_of_ranks)
    on_ranks(n, [](auto const& ranks) {
      std::vector<float> p{1, 2, 3};
      const hone::tensor_list<float> parameters{{p.data(), 3}};
      hone::ema_state<float> state(parameters, {.from_zero = true});
      if (ranks.rank() == 0)
        for (int k = 0; k < 3; ++k) hone::update(hone::cpu(1), hone::ema{.decay = 0.5}, state, parameters);
      hone::broadcast(ranks, state);
      CHECK(state.steps() == 3);
      CHECK(state.counted() == 0.875);
      CHECK(state.tensors()[0].data[1] == 1.75f);
      hone::require_equal_replicas(hone::cpu(1), ranks, state);
    });
}

TEST_CASE("fault 25: replicas that drift apart are found, with the tensor and the ranks") {
  for (const int n : numbers_of_ranks)
    on_ranks(n, [n](auto const& ranks) {
      std::vector<float> a(70000, 1), b(5, 0);
      const hone::tensor_list<float> list{{a.data(), 70000}, {b.data(), 5}};
      const auto check = [&](int threads) {
        return error_of([&] { hone::require_equal_replicas(hone::cpu(threads), ranks, list); });
      };
      CHECK(check(1) == "");
      if (n == 1) return;
      const bool last = ranks.rank() == n - 1;
      const std::string where = "require_equal_replicas: tensor ", rank = std::to_string(n - 1),
                        of = " on rank " + rank + " of " + std::to_string(n) + " differs from that on rank 0";
      b[4] = last ? -0.0f : 0.0f;
      CHECK(check(2) == (where + "1").append(of));
      a[69999] = std::bit_cast<float>(last ? 0x7fc00001u : 0x7fc00000u);  // NaN of another payload
      CHECK(check(3) == (where + "0").append(of));
      a[69999] = 1, b[4] = 0;
      CHECK(check(2) == "");
      if (n < 3) return;
      b[0] = ranks.rank() == 0 ? 1.0f : 2.0f;  // the others are more
      CHECK(check(1) == where + "1 on rank 0 of " + std::to_string(n) + " differs from that on rank 1");
    });
}

TEST_CASE("require_equal_replicas: numbers of tensors that differ, and lists that are not valid, are errors of all") {
  on_ranks(3, [](auto const& ranks) {
    std::vector<float> a(4);
    hone::tensor_list<float> list;
    for (int i = 0; i <= ranks.rank() / 2; ++i) list.push_back({a.data(), 4});
    CHECK_THROWS_WITH_AS(hone::require_equal_replicas(hone::cpu(1), ranks, list),
                         "require_equal_replicas: the number of tensors on rank 2 of 3 differs from that on rank 0",
                         hone::replica_error);
    const hone::tensor_list<float> bad{{ranks.rank() == 1 ? nullptr : a.data(), 4}};
    CHECK(error_of([&] { hone::require_equal_replicas(hone::cpu(1), ranks, bad); }) ==
          (ranks.rank() == 1 ? "require_equal_replicas: tensor 0 of list has 4 numbers but no data"
                             : "require_equal_replicas: rank 1 of 3 failed"));
    hone::require_equal_replicas(hone::cpu(1), ranks, hone::tensor_list<float>());
  });
}

TEST_CASE("require_equal_replicas finds averages of different numbers of updates") {
  on_ranks(2, [](auto const& ranks) {
    std::vector<double> p{1, 2};
    const hone::tensor_list<double> parameters{{p.data(), 2}};
    hone::ema_state<double> state(parameters);
    if (ranks.rank() == 1) hone::update(hone::cpu(1), hone::ema{}, state, parameters);  // the same numbers
    CHECK_THROWS_WITH_AS(hone::require_equal_replicas(hone::cpu(1), ranks, state),
                         "require_equal_replicas: the number of updates on rank 1 of 2 differs from that on rank 0",
                         hone::replica_error);
  });
}

}  // namespace
