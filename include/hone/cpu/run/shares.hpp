// SPDX-License-Identifier: MIT
/// Divides the chunks of a call among its threads. Every thread begins with a range of its own, the same in every call
/// of this size, so that what it wrote in the last call is still in its caches: if threads took chunks in turns, half
/// of the lines would come from the caches of another core, which takes longer than from memory. A thread that is done
/// takes chunks of the others.
#pragma once

#include <hone/core/number.hpp>

#include <algorithm>
#include <atomic>
#include <cstddef>
#include <new>

#include <hone/core/macros_push.hpp>

namespace hone::inline HONE_ABI::on_cpu {

/// Called as body(context, chunk, slot): slot in [0, threads) identifies the thread and its scratch memory.
using chunk_body = void (*)(void* context, index chunk, int slot) noexcept;

class chunk_shares {
  struct alignas(64) share {  // a cache line, because its thread counts in it
    std::atomic<index> next;
    index end;
  };

 public:
  static constexpr std::size_t bytes(int threads) noexcept { return sizeof(share) * static_cast<std::size_t>(threads); }

  /// Uses bytes(threads) bytes of `memory`, aligned to 64 bytes, as long as this object lives.
  chunk_shares(std::byte* memory, int threads, index chunks) noexcept
      : shares_(reinterpret_cast<share*>(memory)), threads_(threads), chunks_(chunks) {
    const index each = chunks / threads, longer = chunks % threads;
    for (index i = 0, begin = 0; i < threads; ++i) {
      const index end = begin + each + (i < longer);
      new (shares_ + i) share{begin, end};
      begin = end;
    }
    unfinished_ = static_cast<int>(std::min<index>(threads, chunks));
  }

  int threads() const noexcept { return threads_; }
  index chunks() const noexcept { return chunks_; }

  /// Calls body for chunks until all have begun: first for those of this slot.
  void take(int slot, chunk_body body, void* context) noexcept {
    for (int k = 0; k < threads_ && unfinished_ != 0; ++k) {
      share& from = shares_[slot + k < threads_ ? slot + k : slot + k - threads_];
      while (from.next.load() < from.end) {
        const index chunk = from.next.fetch_add(1);
        if (chunk >= from.end) break;
        if (chunk + 1 == from.end) unfinished_.fetch_sub(1);  // before the work: others need not look here
        body(context, chunk, slot);
      }
    }
  }

 private:
  share* shares_;
  int threads_;
  index chunks_;
  std::atomic<int> unfinished_;  // shares that have chunks left
};

}  // namespace hone::inline HONE_ABI::on_cpu

#include <hone/core/macros_pop.hpp>
