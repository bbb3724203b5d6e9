// SPDX-License-Identifier: MIT
/// The threads of the CPU backend: one pool per process, shared by every hone::cpu. A shared object with a copy of hone
/// has its own pool, whose threads run the code of that copy. They end when the object is unloaded, because that calls
/// the object's atexit functions and removes its pthread_atfork handlers.
///
/// A call owns the pool or runs alone: a concurrent second call, or a call from inside a worker, does all its
/// chunks itself, so no call waits for a thread that may never come. Workers spin briefly after a job, then
/// sleep. The caller takes chunks like every worker and waits only for chunks that other threads have begun.
///
/// The pool outlives every static object, so that their destructors may call hone. At the end of the process its
/// threads end, but the pool itself is never freed and stays locked (on Windows a library that used it stays loaded,
/// and the system ends its threads). A child of fork() has none of the threads and creates a new pool.
///
/// The system often wakes a sleeping thread on the core of the thread that wakes it; it then waits for the caller
/// to finish. Therefore, on Linux, workers are kept off the caller's core if the process may use other cores.
#pragma once

#include <hone/core/windows.hpp>
#include <hone/cpu/run/cores.hpp>
#include <hone/cpu/run/float_environment.hpp>
#include <hone/cpu/run/job_number.hpp>
#include <hone/cpu/run/shares.hpp>
#include <hone/cpu/run/system_thread.hpp>

#include <algorithm>
#include <atomic>
#include <cstdlib>
#include <new>

#if !defined(_WIN32)
#include <pthread.h>
#endif
#if defined(__SSE2__)
#include <emmintrin.h>  // <immintrin.h> would take half a second to compile
#endif

#include <hone/core/macros_push.hpp>

namespace hone::inline HONE_ABI::on_cpu {

inline void pause() noexcept {
#if defined(__SSE2__)
  _mm_pause();
#else
  system_thread::yield();
#endif
}

class HONE_OWN_TO_OBJECT thread_pool {
 public:
  /// Calls body for all chunks, on at most chunks.threads() threads, and returns when all are done.
  static void run(chunk_shares& chunks, chunk_body body, void* context) noexcept {
    thread_pool* const pool = chunks.threads() > 1 && chunks.chunks() > 1 ? shared() : nullptr;
    if (pool && !pool->owned_.exchange(true)) {
      pool->share_out(chunks, body, context);
      pool->owned_ = false;
    } else {
      chunks.take(0, body, context);
    }
  }

  thread_pool(thread_pool const&) = delete;
  thread_pool& operator=(thread_pool const&) = delete;

 private:
  static constexpr int spins = 4000;  // tens of microseconds

  thread_pool() = default;
  ~thread_pool() = default;

  /// Returns the pool of this shared object in this process; nullptr if there is no memory for one.
  static thread_pool* shared() noexcept {
    thread_pool* pool = shared_;
    return pool ? pool : made();
  }
  static thread_pool* made() noexcept {
    watch_process();  // first, so that neither a fork nor the end of the process misses the pool
    thread_pool* const fresh = new (std::nothrow) thread_pool;
    thread_pool* other = nullptr;
    if (!fresh || shared_.compare_exchange_strong(other, fresh)) return fresh;
    delete fresh;  // another thread was faster
    return other;
  }

  static void watch_process() noexcept {
    static constinit std::atomic<bool> watched{false};
    if (watched) return;  // a second watch is harmless (see end); a lock could stay locked in a child of fork()
#if defined(_WIN32)
    keep_loaded();
#else
    static_cast<void>(std::atexit([] {
      if (thread_pool* pool = shared_) pool->end();
    }));
    static_cast<void>(pthread_atfork(nullptr, nullptr, [] { left_behind_ = shared_.exchange(nullptr); }));
#endif
    watched = true;
  }

#if defined(_WIN32)
  /// Keeps the library loaded: its workers would run unloaded code, and threads cannot be joined during unloading. At
  /// the end of the process the system ends the workers in their sleep.
  static void keep_loaded() noexcept {
    constexpr detail::windows::dword for_good = 1, by_address = 4;
    detail::windows::module own = nullptr;
    static_cast<void>(
        detail::windows::GetModuleHandleExW(for_good | by_address, reinterpret_cast<wchar_t const*>(&shared_), &own));
  }
#else
  void end() noexcept {
    if (stop_) return;  // two threads that registered at the same time registered this twice
    while (owned_.exchange(true)) system_thread::yield();  // never returned: later calls run alone
    stop_ = true;
    job_.raise();
    for (int i = 0; i < started_; ++i) workers_[i].thread.join();
  }
#endif

  void share_out(chunk_shares& chunks, chunk_body body, void* context) noexcept {
    grow(std::min(chunks.threads(), max_threads) - 1);
    leave_caller_alone();
    body_ = body, context_ = context, chunks_ = &chunks;
    environment_ = float_environment::current();
    open_ = true;
    job_.raise();
    chunks.take(0, body, context);
    open_ = false;
    while (inside_ != 0) pause();
  }

  /// Starts workers up to the requested number. If the system starts fewer, those do the work.
  void grow(int workers) noexcept {
    for (; started_ < workers; ++started_) {
      worker& next = workers_[started_];
      next.pool = this, next.slot = started_ + 1, next.seen = job_.load();
      if (!next.thread.start(run_worker, &next)) return;
    }
  }
  static void* run_worker(void* of) noexcept {
    worker const& own = *static_cast<worker const*>(of);
    own.pool->work(own.slot, own.seen);
    return nullptr;
  }

  /// Resets the workers' cores: workers inherit the caller's affinity, and a pinned caller must not share its core.
  void leave_caller_alone() noexcept {
#if defined(__linux__)
    const int here = sched_getcpu();
    if (here < 0 || here >= CPU_SETSIZE || (here == avoided_ && placed_ == started_)) return;
    cpu_set_t cores;
    if (sched_getaffinity(0, sizeof cores, &cores) != 0) return;
    CPU_OR(&cores, &cores, &process_);
    CPU_CLR(static_cast<unsigned>(here), &cores);
    if (CPU_COUNT(&cores) == 0) return;
    for (int i = 0; i < started_; ++i) pthread_setaffinity_np(workers_[i].thread.handle(), sizeof cores, &cores);
    avoided_ = here, placed_ = started_;
#endif
  }

  void work(int slot, unsigned seen) {
    for (;;) {
      for (int i = 0; i < spins && job_.load() == seen; ++i) pause();
      job_.wait(seen);
      seen = job_.load();
      if (stop_) return;
      // Enter first, then check that the job is still open: the owner closes it first, then checks who is inside.
      inside_.fetch_add(1);
      if (open_ && slot < chunks_->threads()) {
        environment_.apply();
        chunks_->take(slot, body_, context_);
      }
      inside_.fetch_sub(1);
    }
  }

  static inline constinit std::atomic<thread_pool*> shared_{nullptr};
  static inline constinit thread_pool* left_behind_ = nullptr;  // the parent's pool, reachable for leak checkers

  struct worker {
    thread_pool* pool;
    int slot;
    unsigned seen;  // the number of the latest job before its first
    system_thread thread;
  };

  std::atomic<bool> owned_ = false;  // by a call that runs on the workers
  worker workers_[max_threads - 1];
  int started_ = 0;
  int placed_ = 0, avoided_ = -1;  // the first placed_ workers are kept off core avoided_
#if defined(__linux__)
  cpu_set_t process_ = cores_of_process();
#endif
  job_number job_;
  std::atomic<int> inside_ = 0;
  std::atomic<bool> open_ = false, stop_ = false;
  chunk_shares* chunks_ = nullptr;  // these four are written before open_ and read after it
  chunk_body body_ = nullptr;
  void* context_ = nullptr;
  float_environment environment_;
};

}  // namespace hone::inline HONE_ABI::on_cpu

#include <hone/core/macros_pop.hpp>
