// SPDX-License-Identifier: MIT
/// Random bits as a pure function of their purpose: Philox 4x32-10 (Salmon et al. 2011, "Parallel random numbers: as
/// easy as 1, 2, 3"). There is no state to keep, to save or to share between threads.
#pragma once

#include <hone/core/number.hpp>

#include <cstdint>

#include <hone/core/macros_push.hpp>

namespace hone::inline HONE_ABI::detail {

struct philox_block {
  std::uint32_t at[4];
};

/// Computes ten rounds of Philox on a counter of 128 bits with a key of 64.
HONE_HD constexpr philox_block philox(philox_block counter, std::uint32_t key0, std::uint32_t key1) noexcept {
  for (int round = 0; round < 10; ++round) {
    const std::uint64_t a = std::uint64_t(0xD2511F53) * counter.at[0], b = std::uint64_t(0xCD9E8D57) * counter.at[2];
    counter = {{std::uint32_t(b >> 32) ^ counter.at[1] ^ key0, std::uint32_t(b),
                std::uint32_t(a >> 32) ^ counter.at[3] ^ key1, std::uint32_t(a)}};
    key0 += 0x9E3779B9;
    key1 += 0xBB67AE85;
  }
  return counter;
}

/// The purpose of random bits; no two purposes share bits.
enum class purpose : std::uint8_t { lambda, partner, box, choice, path, block, rounding, rank };

/// The random bits of one training step.
struct random_bits {
  std::uint64_t seed, step;

  HONE_HD constexpr random_bits(integer seed_, integer step_) noexcept
      : seed(std::uint64_t(seed_.value)), step(std::uint64_t(step_.value)) {}

  /// Returns 128 bits for a row below 2^32 and an attempt below 2^24, uniform and independent of all others.
  HONE_HD constexpr philox_block operator()(purpose why, std::uint64_t row, std::uint32_t attempt = 0) const noexcept {
    return philox(
        {{attempt << 8 | std::uint32_t(why), std::uint32_t(row), std::uint32_t(step), std::uint32_t(step >> 32)}},
        std::uint32_t(seed), std::uint32_t(seed >> 32));
  }
};

/// Returns a uniform number in (0, 1), never 0 or 1: an odd multiple of 2^-53, which a double holds exactly.
HONE_HD constexpr double uniform(std::uint32_t high, std::uint32_t low) noexcept {
  return static_cast<double>((std::uint64_t(high) << 32 | low) >> 12 << 1 | 1) * 0x1p-53;
}

/// Returns a uniform integer in [0, n) for n < 2^32, to within n / 2^64.
HONE_HD constexpr std::int64_t uniform_below(std::int64_t n, std::uint32_t high, std::uint32_t low) noexcept {
  const auto k = static_cast<std::uint64_t>(n);
  return static_cast<std::int64_t>((high * k + ((low * k) >> 32)) >> 32);
}

static_assert(philox({}, 0, 0).at[0] == 0x6627e8d5);

}  // namespace hone::inline HONE_ABI::detail

#include <hone/core/macros_pop.hpp>
