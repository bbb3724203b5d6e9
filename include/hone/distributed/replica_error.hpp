// SPDX-License-Identifier: MIT
/// The error of replicas that are not equal, and which tensor and ranks it names.
#pragma once

#include <hone/distributed/same_on_ranks.hpp>

#include <algorithm>
#include <cstdio>
#include <stdexcept>
#include <string>
#include <vector>

#include <hone/core/macros_push.hpp>

namespace hone::inline HONE_ABI {

/// Replicas of a model that must be equal are not: "require_equal_replicas: tensor 3 on rank 2 of 4 differs from that
/// on rank 0". Every rank throws the same.
class replica_error : public std::runtime_error {
 public:
  using std::runtime_error::runtime_error;
};

namespace detail {

/// Returns the first rank with the most common of the checksums; of equally common ones, the first.
inline std::size_t most_common(std::span<const std::int64_t> sums) {
  std::size_t best = 0;
  std::ptrdiff_t most = 0;
  for (std::size_t r = 0; r < sums.size() && most <= std::ptrdiff_t(sums.size() / 2); ++r)
    if (const auto n = std::count(sums.begin(), sums.end(), sums[r]); n > most) best = r, most = n;
  return best;
}

/// Fails with the ranks whose checksum is not the most common one. At most eight ranks are named.
[[noreturn]] inline void raise_replica_error(const char* function, std::string const& what,
                                             std::span<const std::int64_t> sums) {
  const std::size_t right = most_common(sums);
  std::string names;
  std::size_t wrong = 0;
  for (std::size_t r = 0; r < sums.size(); ++r)
    if (sums[r] != sums[right] && ++wrong <= 8) names += (wrong > 1 ? ", " : "") + std::to_string(r);
  if (wrong > 8) names += " and " + std::to_string(wrong - 8) + " more";
  raise(replica_error(std::string(function) + ": " + what + (wrong > 1 ? " on ranks " : " on rank ") + names + " of " +
                      std::to_string(sums.size()) + " differs from that on rank " + std::to_string(right)));
}

/// Finds the first checksum that differs between ranks, and fails. what(i) names the i-th.
template <communicator C, class What>
[[noreturn]] void find_replica_error(C const& ranks, const char* function, std::span<const std::uint64_t> sums,
                                     What const& what) {
  const auto size = static_cast<std::size_t>(ranks.size()), rank = static_cast<std::size_t>(ranks.rank());
  const auto compare = [&](std::uint64_t mine, std::string const& name) {
    std::vector<std::int64_t> all(size);
    all[rank] = std::bit_cast<std::int64_t>(mine);
    ranks.sum(std::span<std::int64_t>(all));
    if (std::any_of(all.begin(), all.end(), [&](std::int64_t x) { return x != all[0]; }))
      raise_replica_error(function, name, all);
  };
  compare(sums.size(), "the number of tensors");
  constexpr std::size_t together = 512;
  std::vector<std::int64_t> words(together * same_words::count);
  for (std::size_t begin = 0; begin < sums.size(); begin += together) {
    const std::size_t n = std::min(together, sums.size() - begin);
    const std::span<std::int64_t> some(words.data(), n * same_words::count);
    for (std::size_t i = 0; i < n; ++i)
      same_words::set(some.subspan(i * same_words::count, same_words::count), sums[begin + i]);
    ranks.sum(some);
    for (std::size_t i = 0; i < n; ++i)
      if (!same_words::same(some.subspan(i * same_words::count, same_words::count), ranks.size()))
        compare(sums[begin + i], what(begin + i));
  }
  raise(replica_error(std::string(function) + ": the memory was written during the call"));
}

}  // namespace detail
}  // namespace hone::inline HONE_ABI

#include <hone/core/macros_pop.hpp>
