// SPDX-License-Identifier: MIT
/// The pairing of the rows of a batch.
#pragma once

#include <hone/core/number.hpp>
#include <hone/sample/philox.hpp>

#include <hone/core/macros_push.hpp>

namespace hone::inline HONE_ABI {

/// others  never the row itself, if there is another: the rows of a batch form a circle in random order
/// any     a random permutation, in which a row may be its own partner
/// pairs   random pairs; if the number of rows is odd, one row is its own partner
enum class partners : std::uint8_t { others, any, pairs };

namespace detail {

/// A random permutation of 0 … n-1 and its inverse, number by number, without a table: the swap-or-not shuffle (Hoang,
/// Morris and Rogaway 2012). In every round x and key - x, modulo n, are exchanged if a hash bit of the larger is set.
class permutation {
 public:
  HONE_HD permutation(random_bits const& bits, index n) noexcept : n_(n) {
    for (int k = 0; k < rounds; k += 4) {
      const philox_block b = bits(purpose::partner, std::uint64_t(k));
      for (int j = 0; j < 4; ++j) keys_[k + j] = uniform_below(n, b.at[j], 0);
    }
    const philox_block b = bits(purpose::partner, rounds);
    secret_ = std::uint64_t(b.at[0]) << 32 | b.at[1];
  }

  HONE_HD index operator()(index x) const noexcept {
    for (int k = 0; k < rounds; ++k) x = swapped_or_not(x, k);
    return x;
  }
  HONE_HD index inverse(index x) const noexcept {
    for (int k = rounds - 1; k >= 0; --k) x = swapped_or_not(x, k);
    return x;
  }

 private:
  static constexpr int rounds = 32;

  HONE_HD index swapped_or_not(index x, int round) const noexcept {
    const index y = keys_[round] < x ? keys_[round] - x + n_ : keys_[round] - x;
    std::uint64_t z = (std::uint64_t(x > y ? x : y) ^ std::uint64_t(round) << 32 ^ secret_) * 0x9E3779B97F4A7C15;
    z = (z ^ z >> 32) * 0xD6E8FEB86659FD93;
    return z >> 63 ? y : x;
  }

  index keys_[rounds];
  index n_;
  std::uint64_t secret_;
};

/// An order of the rows in which partners are adjacent, and the partner of each row.
class partner_order {
 public:
  HONE_HD partner_order(random_bits const& bits, index n, partners how) noexcept : order_(bits, n), n_(n), how_(how) {}

  HONE_HD index place_of(index row) const noexcept { return order_(row); }
  /// The partner is at the next place, or at the other place of a pair. For partners::any the order has no meaning.
  HONE_HD index row_at(index place) const noexcept { return how_ == partners::any ? place : order_.inverse(place); }

  HONE_HD index partner_of(index row) const noexcept {
    return partner_by(order_(row), [this](index place) { return row_at(place); });
  }
  /// The same for the row at a place, with a table as row_at.
  HONE_NO_EXEC_CHECK
  template <class RowAt>
  HONE_HD index partner_by(index place, RowAt const& row) const noexcept {
    if (how_ == partners::any) return place;
    if (how_ == partners::pairs) return row((place ^ 1) < n_ ? place ^ 1 : place);
    return row(place + 1 < n_ ? place + 1 : 0);
  }

 private:
  permutation order_;
  index n_;
  partners how_;
};

}  // namespace detail
}  // namespace hone::inline HONE_ABI

#include <hone/core/macros_pop.hpp>
