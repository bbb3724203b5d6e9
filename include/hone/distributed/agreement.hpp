// SPDX-License-Identifier: MIT
/// Sums over ranks that carry errors: where one rank fails, all do, and none waits for it.
#pragma once

#include <hone/core/message.hpp>
#include <hone/distributed/communicator.hpp>

#include <exception>

#include <hone/core/macros_push.hpp>

namespace hone::inline HONE_ABI::detail {

/// The words before the payload of a sum over ranks: how many ranks failed, and Σ (rank + 1) over them.
inline constexpr int status_words = 2;

/// Fails with "transform: rank 2 of 4 failed".
template <communicator C>
[[noreturn]] void raise_rank_error(C const& ranks, const char* function, std::int64_t failed, std::int64_t which) {
  char text[160];
  if (failed == 1)
    std::snprintf(text, sizeof text, "%s: rank %d of %d failed", function, static_cast<int>(which - 1),
                  int(ranks.size()));
  else
    std::snprintf(text, sizeof text, "%s: %d of %d ranks failed", function, static_cast<int>(failed),
                  int(ranks.size()));
  raise(rank_error(text));
}

/// Runs fill(words) on this rank and sums the words over all ranks, status_words of which are hone's. If fill throws
/// here, this rank still takes part, and then throws that error; all others throw a rank_error. Without exceptions an
/// error ends the process, and the others learn of it by their transport.
template <communicator C, class Fill>
void sum_or_fail(C const& ranks, const char* function, std::span<std::int64_t> words, Fill const& fill) {
  for (std::int64_t& w : words) w = 0;
#if HONE_HAS_EXCEPTIONS
  std::exception_ptr mine;
  try {
    fill(words.subspan(status_words));
  } catch (...) {
    mine = std::current_exception();
    for (std::int64_t& w : words) w = 0;
    words[0] = 1, words[1] = ranks.rank() + 1;
  }
  ranks.sum(words);
  if (mine) std::rethrow_exception(mine);
#else
  fill(words.subspan(status_words));
  ranks.sum(words);
#endif
  if (words[0] != 0) raise_rank_error(ranks, function, words[0], words[1]);
}

/// Runs check() on every rank; if it throws on one, all throw. One sum over ranks.
template <communicator C, class Check>
void agree(C const& ranks, const char* function, Check const& check) {
  std::int64_t words[status_words];
  sum_or_fail(ranks, function, words, [&](std::span<std::int64_t>) { check(); });
}

}  // namespace hone::inline HONE_ABI::detail

#include <hone/core/macros_pop.hpp>
