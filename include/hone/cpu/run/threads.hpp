// SPDX-License-Identifier: MIT
/// The threads of the CPU backend: one pool per process, shared by every hone::cpu. A shared object with a copy of hone
/// has a pool of its own, whose threads run that copy's code: they end when the object is unloaded, at which atexit and
/// pthread_atfork are undone for it.
///
/// A call owns the pool or runs alone: a second call at the same time, or one from inside a worker, does all
/// its chunks itself, so nothing ever waits for a thread that may not come. Workers spin briefly after a job,
/// then sleep. The caller takes chunks like everybody and waits only for chunks that others have begun.
///
/// The pool outlives every static object, so that their destructors may call hone: at the end of the process its
/// threads end, and it stays behind, owned for good (on Windows a library that has used it stays loaded, and the system
/// ends its threads). A child of fork() has none of the threads and takes a new pool.
///
/// A sleeping thread is often woken on the core of the one that wakes it, and then waits there for the caller
/// to finish. On Linux the workers are therefore kept off the caller's core, where the process may use others.
#pragma once

#include <hone/core/number.hpp>
#include <hone/core/windows.hpp>
#include <hone/cpu/run/cores.hpp>
#include <hone/cpu/run/float_environment.hpp>
#include <hone/cpu/run/job_number.hpp>

#include <atomic>
#include <cstdlib>
#include <mutex>
#include <new>
#include <thread>

#if !defined(_WIN32)
#include <pthread.h>
#endif
#if defined(__SSE2__)
#include <emmintrin.h>  // <immintrin.h> would take half a second to read
#endif

#include <hone/core/macros_push.hpp>

namespace hone::inline HONE_ABI::on_cpu {

inline void pause() noexcept {
#if defined(__SSE2__)
  _mm_pause();
#else
  std::this_thread::yield();
#endif
}

/// body(context, chunk, slot): slot in [0, threads) names the thread, for scratch memory.
using chunk_body = void (*)(void* context, index chunk, int slot) noexcept;

class HONE_OWN_TO_OBJECT thread_pool {
 public:
  /// Runs body for every chunk in [0, chunks), on at most `threads` threads, and returns when all are done.
  static void run(int threads, index chunks, chunk_body body, void* context) noexcept {
    thread_pool* const pool = threads > 1 && chunks > 1 ? shared() : nullptr;
    if (pool && pool->owner_.try_lock()) {
      const std::lock_guard owner(pool->owner_, std::adopt_lock);
      pool->share_out(threads, chunks, body, context);
    } else {
      for (index chunk = 0; chunk < chunks; ++chunk) body(context, chunk, 0);
    }
  }

  thread_pool(thread_pool const&) = delete;
  thread_pool& operator=(thread_pool const&) = delete;

 private:
  static constexpr int spins = 4000;  // tens of microseconds

  thread_pool() = default;
  ~thread_pool() = default;

  /// The pool of this object in this process; nullptr where there is no memory for one.
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
    if (watched) return;  // a second watch does no harm (see end), a lock would be held for ever in a child of fork()
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
  /// The workers of a library would go on in code that is gone, and nobody can wait for a thread while one is unloaded.
  /// At the end of the process the system ends them, asleep.
  static void keep_loaded() noexcept {
    constexpr detail::windows::dword for_good = 1, by_address = 4;
    detail::windows::module own = nullptr;
    static_cast<void>(
        detail::windows::GetModuleHandleExW(for_good | by_address, reinterpret_cast<wchar_t const*>(&shared_), &own));
  }
#else
  void end() noexcept {
    if (stop_) return;  // two threads that began to watch at once both had this called
    owner_.lock();      // for good: later calls run alone
    stop_ = true;
    job_.raise();
    for (int i = 0; i < started_; ++i) workers_[i].join();
  }
#endif

  void share_out(int threads, index chunks, chunk_body body, void* context) noexcept {
    grow(std::min(threads, most_threads) - 1);
    leave_caller_alone();
    body_ = body, context_ = context, chunks_ = chunks, threads_ = threads;
    environment_ = float_environment::current();
    next_ = 0;
    open_ = true;
    job_.raise();
    take_chunks(0);
    open_ = false;
    while (inside_ != 0) pause();
  }

  /// As many as can be had: where the system gives no more, those that there are do the work.
  void grow(int workers) noexcept {
#if HONE_HAS_EXCEPTIONS
    try {
#endif
      for (; started_ < workers; ++started_)
        workers_[started_] = std::thread([this, slot = started_ + 1, seen = job_.load()] { work(slot, seen); });
#if HONE_HAS_EXCEPTIONS
    } catch (std::exception const&) {
      return;
    }
#endif
  }

  /// Workers inherit what the caller may use: one that is pinned must not keep them on its core.
  void leave_caller_alone() noexcept {
#if defined(__linux__)
    const int here = sched_getcpu();
    if (here < 0 || here >= CPU_SETSIZE || (here == avoided_ && placed_ == started_)) return;
    cpu_set_t cores;
    if (sched_getaffinity(0, sizeof cores, &cores) != 0) return;
    if (process_) CPU_OR(&cores, &cores, &*process_);
    CPU_CLR(static_cast<unsigned>(here), &cores);
    if (CPU_COUNT(&cores) == 0) return;
    for (int i = 0; i < started_; ++i) pthread_setaffinity_np(workers_[i].native_handle(), sizeof cores, &cores);
    avoided_ = here, placed_ = started_;
#endif
  }

  void work(int slot, unsigned seen) {
    for (;;) {
      for (int i = 0; i < spins && job_.load() == seen; ++i) pause();
      job_.wait(seen);
      seen = job_.load();
      if (stop_) return;
      // Enter first, then look whether the job is still open: the owner closes it first, then looks who is in.
      inside_.fetch_add(1);
      if (open_ && slot < threads_) {
        environment_.apply();
        take_chunks(slot);
      }
      inside_.fetch_sub(1);
    }
  }

  void take_chunks(int slot) {
    for (index chunk = next_.fetch_add(1); chunk < chunks_; chunk = next_.fetch_add(1)) body_(context_, chunk, slot);
  }

  static inline constinit std::atomic<thread_pool*> shared_{nullptr};
  static inline constinit thread_pool* left_behind_ = nullptr;  // of the parent process, still known to leak checkers

  std::mutex owner_;
  std::thread workers_[most_threads - 1];
  int started_ = 0;
  int placed_ = 0, avoided_ = -1;  // so many workers are kept off this core
#if defined(__linux__)
  std::optional<cpu_set_t> process_ = cores_of_process();
#endif
  job_number job_;
  std::atomic<int> inside_ = 0;
  std::atomic<bool> open_ = false, stop_ = false;
  std::atomic<index> next_ = 0;
  chunk_body body_ = nullptr;  // these five are written before open_ and read after it
  float_environment environment_;
  void* context_ = nullptr;
  index chunks_ = 0;
  int threads_ = 0;
};

}  // namespace hone::inline HONE_ABI::on_cpu

#include <hone/core/macros_pop.hpp>
