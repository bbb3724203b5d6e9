// SPDX-License-Identifier: MIT
/// What the runtime has answered about kernels, kept for all threads of the process.
#pragma once

#include <hone/core/config.hpp>

#include <atomic>
#include <cstdint>
#include <initializer_list>

#include <hone/core/macros_push.hpp>

namespace hone::inline HONE_ABI::on_cuda {

/// Answers of the runtime, by a hash of the question, for all threads and without a lock. An entry is the hash with the
/// answer in its last 16 bits; 0 is none. Two questions with one hash would get one answer, see
/// hash_of.
class runtime_answers {
 public:
  /// Returns the number kept under `hash`, or that of ask(), which is then kept.
  template <class Ask>
  int find(std::uint64_t hash, Ask const& ask) noexcept(noexcept(ask())) {
    hash |= mask + 1;  // not 0
    std::atomic<std::uint64_t>* free = &entries_[hash >> 54];
    for (std::uint64_t i = 0; i < probes; ++i) {
      std::atomic<std::uint64_t>& entry = entries_[((hash >> 54) + i) % size];
      const std::uint64_t kept = entry.load(std::memory_order_relaxed);
      if (kept >> 16 == hash >> 16) return static_cast<int>(kept & mask);
      if (kept != 0) continue;
      free = &entry;
      break;
    }
    const int answer = ask();
    free->store((hash & ~mask) | (static_cast<std::uint64_t>(answer) & mask), std::memory_order_relaxed);
    return answer;
  }

 private:
  static constexpr std::uint64_t size = 1024, probes = 8, mask = 0xffff;

  std::atomic<std::uint64_t> entries_[size] = {};
};

/// Returns the hash of a question about a kernel.
inline std::uint64_t hash_of(void const* kernel, std::initializer_list<int> numbers) noexcept {
  std::uint64_t hash = reinterpret_cast<std::uintptr_t>(kernel);
  for (const int x : numbers) hash = (hash ^ static_cast<std::uint64_t>(x)) * 0x9e3779b97f4a7c15U, hash ^= hash >> 29;
  return hash * 0xbf58476d1ce4e5b9U;
}

}  // namespace hone::inline HONE_ABI::on_cuda

#include <hone/core/macros_pop.hpp>
