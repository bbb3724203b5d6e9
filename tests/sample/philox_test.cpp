// SPDX-License-Identifier: MIT
// Philox 4x32-10 against the vectors that its authors published (Random123, kat_vectors), and the numbers made from it.
#include <hone/sample/philox.hpp>

#include <doctest/doctest.h>

#include <vector>

namespace {

std::vector<std::uint32_t> words(hone::detail::philox_block b) { return {b.at, b.at + 4}; }

}  // namespace

TEST_CASE("philox matches the published vectors") {
  using hone::detail::philox;
  CHECK(words(philox({}, 0, 0)) == std::vector<std::uint32_t>{0x6627e8d5, 0xe169c58d, 0xbc57ac4c, 0x9b00dbd8});
  const std::uint32_t ones = 0xffffffff;
  CHECK(words(philox({{ones, ones, ones, ones}}, ones, ones)) ==
        std::vector<std::uint32_t>{0x408f276d, 0x41c83b0e, 0xa20bc7c6, 0x6d5451fd});
  CHECK(words(philox({{0x243f6a88, 0x85a308d3, 0x13198a2e, 0x03707344}}, 0xa4093822, 0x299f31d0)) ==
        std::vector<std::uint32_t>{0xd16cfe09, 0x94fdcceb, 0x5001e420, 0x24126ea1});
}

TEST_CASE("random_bits uses every bit of seed, step, row, purpose and attempt") {
  using hone::detail::purpose, hone::detail::random_bits;
  const auto bits = [](hone::integer seed, hone::integer step, purpose why, std::uint64_t row, std::uint32_t attempt) {
    return words(random_bits(seed, step)(why, row, attempt));
  };
  const auto base = bits(1, 2, purpose::lambda, 3, 4);
  CHECK(base == words(hone::detail::philox({{4 << 8, 3, 2, 0}}, 1, 0)));
  CHECK(base != bits(1 + (std::int64_t(1) << 32), 2, purpose::lambda, 3, 4));
  CHECK(base != bits(1, 2 + (std::int64_t(1) << 32), purpose::lambda, 3, 4));
  CHECK(base != bits(1, 2, purpose::box, 3, 4));
  CHECK(base != bits(1, 2, purpose::lambda, 3 + (std::uint64_t(1) << 31), 4));
  CHECK(base != bits(1, 2, purpose::lambda, 3, 5));
  CHECK(bits(-1, -1, purpose::lambda, 0, 0) != bits(1, 1, purpose::lambda, 0, 0));
}

TEST_CASE("uniform numbers are inside (0, 1), and uniform_below is below its bound") {
  CHECK(hone::detail::uniform(0, 0) == 0x1p-53);
  CHECK(hone::detail::uniform(~0U, ~0U) == 1 - 0x1p-53);
  CHECK(hone::detail::uniform(1U << 31, 0) == 0.5 + 0x1p-53);
  for (const std::int64_t n : {std::int64_t(1), std::int64_t(3), std::int64_t(224), (std::int64_t(1) << 32) - 1}) {
    CHECK(hone::detail::uniform_below(n, 0, 0) == 0);
    CHECK(hone::detail::uniform_below(n, ~0U, ~0U) == n - 1);
  }
  CHECK(hone::detail::uniform_below(4, 3U << 30, 0) == 3);
  CHECK(hone::detail::uniform_below(4, (3U << 30) - 1, ~0U) == 2);
}
