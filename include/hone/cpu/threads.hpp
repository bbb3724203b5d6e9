// SPDX-License-Identifier: MIT
/// The threads of the CPU backend: one pool per process, shared by every hone::cpu.
///
/// A call owns the pool or runs alone: a second call at the same time, or one from inside a worker, does all
/// its chunks itself, so nothing ever waits for a thread that may not come. Workers spin briefly after a job,
/// then sleep. The caller takes chunks like everybody and waits only for chunks that others have begun.
///
/// A sleeping thread is often woken on the core of the one that wakes it, and then waits there for the caller
/// to finish. On Linux the workers are therefore kept off the caller's core, where the process may use others.
#pragma once

#include <hone/core/number.hpp>

#include <atomic>
#include <mutex>
#include <thread>

#if defined(__linux__)
#include <sched.h>
#endif
#if defined(__SSE2__)
#include <emmintrin.h>  // <immintrin.h> would take half a second to read
#endif

namespace hone::on_cpu {

inline void pause() noexcept {
#if defined(__SSE2__)
  _mm_pause();
#else
  std::this_thread::yield();
#endif
}

inline constexpr int most_threads = 1024;

/// body(context, chunk, slot): slot in [0, threads) names the thread, for scratch memory.
using chunk_body = void (*)(void* context, index chunk, int slot) noexcept;

class thread_pool {
 public:
  static thread_pool& shared() {
    static thread_pool pool;
    return pool;
  }

  /// Runs body for every chunk in [0, chunks), on at most `threads` threads, and returns when all are done.
  void run(int threads, index chunks, chunk_body body, void* context) {
    std::unique_lock owner(owner_, std::defer_lock);  // freed where a thread cannot be started, too
    if (threads > 1 && chunks > 1 && owner.try_lock()) {
      grow(threads - 1);
      leave_caller_alone();
      body_ = body, context_ = context, chunks_ = chunks, threads_ = threads;
      next_ = 0;
      open_ = true;
      job_.fetch_add(1);
      job_.notify_all();
      take_chunks(0);
      open_ = false;
      while (inside_ != 0) pause();
    } else {
      for (index chunk = 0; chunk < chunks; ++chunk) body(context, chunk, 0);
    }
  }

  thread_pool(thread_pool const&) = delete;
  thread_pool& operator=(thread_pool const&) = delete;

  ~thread_pool() {
    stop_ = true;
    job_.fetch_add(1);
    job_.notify_all();
    for (int i = 0; i < started_; ++i) workers_[i].join();
  }

 private:
  static constexpr int spins = 4000;  // tens of microseconds

  thread_pool() = default;

  void grow(int workers) {
    for (; started_ < workers; ++started_)
      workers_[started_] = std::thread([this, slot = started_ + 1, seen = job_.load()] { work(slot, seen); });
  }

  void leave_caller_alone() noexcept {
#if defined(__linux__)
    const int here = sched_getcpu();
    if (here < 0 || here >= CPU_SETSIZE || (here == avoided_ && placed_ == started_)) return;
    avoided_ = here, placed_ = started_;
    cpu_set_t cores;
    if (sched_getaffinity(0, sizeof cores, &cores) != 0) return;
    CPU_CLR(static_cast<unsigned>(here), &cores);
    if (CPU_COUNT(&cores) == 0) return;
    for (int i = 0; i < started_; ++i) pthread_setaffinity_np(workers_[i].native_handle(), sizeof cores, &cores);
#endif
  }

  void work(int slot, unsigned seen) {
    for (;;) {
      for (int i = 0; i < spins && job_ == seen; ++i) pause();
      job_.wait(seen);
      seen = job_;
      if (stop_) return;
      // Enter first, then look whether the job is still open: the owner closes it first, then looks who is in.
      inside_.fetch_add(1);
      if (open_ && slot < threads_) take_chunks(slot);
      inside_.fetch_sub(1);
    }
  }

  void take_chunks(int slot) {
    for (index chunk = next_.fetch_add(1); chunk < chunks_; chunk = next_.fetch_add(1)) body_(context_, chunk, slot);
  }

  std::mutex owner_;
  std::thread workers_[most_threads - 1];
  int started_ = 0;
  int placed_ = 0, avoided_ = -1;  // so many workers are kept off this core
  std::atomic<unsigned> job_ = 0;
  std::atomic<int> inside_ = 0;
  std::atomic<bool> open_ = false, stop_ = false;
  std::atomic<index> next_ = 0;
  chunk_body body_ = nullptr;  // these four are written before open_ and read after it
  void* context_ = nullptr;
  index chunks_ = 0;
  int threads_ = 0;
};

}  // namespace hone::on_cpu
