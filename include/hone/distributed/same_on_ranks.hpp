// SPDX-License-Identifier: MIT
/// Whether a number, or the contents of memory, are the same on all ranks: by sums of checksums.
#pragma once

#include <hone/distributed/agreement.hpp>

#include <bit>
#include <cstddef>
#include <cstdint>
#include <cstring>
#include <span>

#include <hone/core/macros_push.hpp>

namespace hone::inline HONE_ABI::detail {

/// A checksum of 64 bits: four lanes of xxHash64's round (Collet 2012). It is compared between the ranks of one
/// program and never stored, so words are read in the byte order of the machine.
class checksum64 {
 public:
  explicit checksum64(std::uint64_t seed = 0) noexcept {
    for (std::uint64_t& lane : lanes_) lane = seed + first, seed += second;
  }

  void add(std::uint64_t word) noexcept { lanes_[0] = round(lanes_[0], word); }
  void add(void const* data, std::size_t size) noexcept {
    auto const* at = static_cast<unsigned char const*>(data);
    for (; size >= 32; size -= 32, at += 32)
      for (std::size_t k = 0; k < 4; ++k) {
        std::uint64_t word = 0;
        std::memcpy(&word, at + 8 * k, 8);
        lanes_[k] = round(lanes_[k], word);
      }
    for (; size > 0;) {
      const std::size_t n = size < 8 ? size : 8;
      std::uint64_t word = 0;
      std::memcpy(&word, at, n);
      add(word), add(n);
      at += n, size -= n;
    }
  }
  std::uint64_t value() const noexcept {
    std::uint64_t all = 0;
    for (const std::uint64_t lane : lanes_) all = round(all, lane);
    return mixed(all);
  }

  /// Returns a number of which every bit depends on every bit of x (the finish of MurmurHash3).
  HONE_HD static constexpr std::uint64_t mixed(std::uint64_t x) noexcept {
    x = (x ^ x >> 33) * 0xFF51AFD7ED558CCD;
    x = (x ^ x >> 33) * 0xC4CEB9FE1A85EC53;
    return x ^ x >> 33;
  }

 private:
  static constexpr std::uint64_t first = 0x9E3779B185EBCA87, second = 0xC2B2AE3D27D4EB4F;

  static constexpr std::uint64_t round(std::uint64_t lane, std::uint64_t word) noexcept {
    return std::rotl(lane + word * second, 31) * first;
  }

  std::uint64_t lanes_[4];
};

/// Eight words whose sums over ranks tell whether a number of 64 bits is the same on all: its four parts p of 16 bits
/// and their squares. By the inequality of Cauchy and Schwarz n Σ p² equals (Σ p)² only if all p are equal; the
/// products do not overflow for fewer than 2^15 ranks, and wrap in the same way beyond.
struct same_words {
  static constexpr int count = 8;

  static void set(std::span<std::int64_t> words, std::uint64_t number) noexcept {
    for (std::size_t k = 0; k < 4; ++k) {
      const auto part = static_cast<std::int64_t>(number >> 16 * k & 0xffff);
      words[2 * k] = part, words[2 * k + 1] = part * part;
    }
  }
  static bool same(std::span<const std::int64_t> words, int ranks) noexcept {
    for (std::size_t k = 0; k < 4; ++k) {
      const auto sum = static_cast<std::uint64_t>(words[2 * k]), squares = static_cast<std::uint64_t>(words[2 * k + 1]);
      if (static_cast<std::uint64_t>(ranks) * squares != sum * sum) return false;
    }
    return true;
  }
};

/// Runs number() on every rank and returns whether all have returned the same number of 64 bits. If it throws on one
/// rank, all throw, as in sum_or_fail.
template <communicator C, class Number>
bool same_on_ranks(C const& ranks, const char* function, Number const& number) {
  std::int64_t words[status_words + same_words::count];
  sum_or_fail(ranks, function, words, [&](std::span<std::int64_t> to) { same_words::set(to, number()); });
  return same_words::same(std::span<const std::int64_t>(words).subspan(status_words), ranks.size());
}

}  // namespace hone::inline HONE_ABI::detail

#include <hone/core/macros_pop.hpp>
