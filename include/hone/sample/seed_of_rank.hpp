// SPDX-License-Identifier: MIT
/// Seeds for ranks whose draws must differ.
#pragma once

#include <hone/core/error.hpp>
#include <hone/core/number.hpp>
#include <hone/sample/philox.hpp>

#include <cstdint>

#include <hone/core/macros_push.hpp>

namespace hone::inline HONE_ABI {

/// Returns the seed of a rank, for draws that must differ between ranks: mixup, cutmix and drop path of data-parallel
/// ranks, which have other samples in the same rows. `rank` is the data-parallel rank: ranks that compute the same
/// samples, as in tensor parallelism, draw alike. Distinct ranks have distinct seeds. A pure function, the same on
/// every machine.
///
///     const auto draw = hone::mixup{.alpha = 0.2}.draw(hone::seed_of_rank(seed, ranks.rank()), step, rows);
///
/// For draws that do not depend on the number of ranks, pass the number of the micro-batch in the global batch in place
/// of the rank; or draw the rows of the global batch with `seed` on every rank, and use the rank's own.
/// Throws hone::invalid_argument if the rank is negative.
inline integer seed_of_rank(integer seed, integer rank) {
  detail::require(rank.value >= 0, "seed_of_rank", "rank", rank.value, "at least 0");
  const detail::philox_block of = detail::random_bits(seed, 0)(detail::purpose::rank, 0);
  // A permutation of 64 bits, so that no two ranks have one seed.
  std::uint64_t z = static_cast<std::uint64_t>(rank.value) ^ (std::uint64_t(of.at[0]) << 32 | of.at[1]);
  z = (z ^ z >> 32) * 0xD6E8FEB86659FD93;
  z = (z ^ z >> 32) * 0xD6E8FEB86659FD93;
  z ^= z >> 32 ^ (std::uint64_t(of.at[2]) << 32 | of.at[3]);
  return static_cast<std::int64_t>(z);
}

}  // namespace hone::inline HONE_ABI

#include <hone/core/macros_pop.hpp>
