// SPDX-License-Identifier: MIT
/// A thread of the system. Every program compiles the pool; std::thread would take longer to compile than the pool.
#pragma once

#include <hone/core/config.hpp>

#if defined(_WIN32)
#include <exception>
#include <thread>
#else
#include <pthread.h>
#include <sched.h>
#endif

#include <hone/core/macros_push.hpp>

namespace hone::inline HONE_ABI::on_cpu {

class system_thread {
 public:
  using body = void* (*)(void* context);

#if defined(_WIN32)
  /// Calls run(context) on a new thread. Returns false if the system starts none.
  bool start(body run, void* context) noexcept {
#if HONE_HAS_EXCEPTIONS
    try {
#endif
      thread_ = std::thread(run, context);
#if HONE_HAS_EXCEPTIONS
    } catch (std::exception const&) {
      return false;
    }
#endif
    return true;
  }
  static void yield() noexcept { std::this_thread::yield(); }

 private:
  std::thread thread_;
#else
  bool start(body run, void* context) noexcept { return pthread_create(&thread_, nullptr, run, context) == 0; }
  void join() noexcept { pthread_join(thread_, nullptr); }
  static void yield() noexcept { sched_yield(); }

  pthread_t handle() const noexcept { return thread_; }

 private:
  pthread_t thread_{};
#endif
};

}  // namespace hone::inline HONE_ABI::on_cpu

#include <hone/core/macros_pop.hpp>
