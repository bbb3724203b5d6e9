// SPDX-License-Identifier: MIT
/// The CPU backend.
#pragma once

#include <hone/core/error.hpp>
#include <hone/cpu/run/executor.hpp>
#include <hone/cpu/run/scratch.hpp>
#include <hone/cpu/run/threads.hpp>

#include <algorithm>

#include <hone/core/macros_push.hpp>

namespace hone::inline HONE_ABI {

/// Runs on threads of this process; every call returns after its work is done. Results have the same bits for
/// every number of threads and every executor. Objects are cheap, share one pool, and may be used from several threads
/// at once.
class cpu {
 public:
  /// Uses every core that the process may use, limited by its affinity and by the CPU quota of its control group.
  cpu() : threads_(on_cpu::usable_threads()) {}

  /// Uses at most `threads` threads, the caller's included. Throws hone::invalid_argument unless it is in [1, 1024].
  explicit cpu(integer threads) : threads_(static_cast<int>(threads.value)) {
    detail::require(threads.value >= 1 && threads.value <= on_cpu::max_threads, "cpu", "threads", threads.value,
                    "in [1, 1024]");
  }

  /// Uses at most `threads` tasks of an executor in place of hone's pool (cpu/run/executor.hpp). The executor is
  /// viewed, unless it has no state, and must then outlive the object.
  template <cpu_executor Executor>
  cpu(integer threads, Executor const& executor) : cpu(threads) {
    executor_ = on_cpu::any_executor(executor);
  }
  template <cpu_executor Executor>
    requires(!on_cpu::is_stateless<Executor>)
  cpu(integer threads, Executor const&& executor) = delete;  // it would be gone before the first call

  int threads() const noexcept { return threads_; }
  on_cpu::any_executor const& executor() const noexcept { return executor_; }

 private:
  int threads_;
  on_cpu::any_executor executor_;
};

namespace on_cpu {

/// Calls body(chunk, memory) for every chunk in [0, chunks); memory is `bytes` bytes of the thread's scratch.
template <class Body>
void for_chunks(cpu const& backend, index chunks, std::size_t bytes, Body const& body) {
  const int threads = static_cast<int>(std::min<index>(backend.threads(), std::max<index>(chunks, 1)));
  const std::size_t room = (bytes + 4095) / 4096 * 4096 + 192;  // threads must not share cache lines or sets
  const std::size_t all_rooms = room * static_cast<std::size_t>(threads);
  const scratch<scratch_for::rows> memory(all_rooms + chunk_shares::bytes(threads));
  chunk_shares shares(memory.data() + all_rooms, threads, chunks);
  struct context {
    Body const& body;
    std::byte* memory;
    std::size_t room;
  } all{body, memory.data(), room};
  const auto run_chunk = [](void* c, index chunk, int slot) noexcept {
    auto& job = *static_cast<context*>(c);
    job.body(chunk, job.memory + job.room * static_cast<std::size_t>(slot));
  };
  if (threads > 1 && backend.executor())
    run_on(backend.executor(), shares, run_chunk, &all);
  else
    thread_pool::run(shares, run_chunk, &all);
}

}  // namespace on_cpu
}  // namespace hone::inline HONE_ABI

#include <hone/core/macros_pop.hpp>
