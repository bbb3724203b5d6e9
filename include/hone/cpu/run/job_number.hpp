// SPDX-License-Identifier: MIT
/// The number of the pool's latest job. Sleeping workers wait for it to change.
#pragma once

#include <hone/core/config.hpp>

#include <atomic>

#if defined(__linux__)
#include <linux/futex.h>
#include <sys/syscall.h>
#include <unistd.h>
#include <climits>
#else
#include <condition_variable>
#include <mutex>
#endif

#include <hone/core/macros_push.hpp>

namespace hone::inline HONE_ABI::on_cpu {

class job_number {
 public:
  unsigned load() const noexcept { return number_.load(); }

#if defined(__linux__)
  // As std::atomic::wait does it, but that takes longer to compile than the pool.
  /// Increments the number and wakes all sleeping workers.
  void raise() noexcept {
    number_.fetch_add(1);
    if (sleeping_ > 0) futex(FUTEX_WAKE_PRIVATE, INT_MAX);
  }
  /// Sleeps until the number differs from `seen`.
  void wait(unsigned seen) noexcept {
    sleeping_.fetch_add(1);  // before the system compares the number: raise() sees it, or the number has changed
    while (number_.load() == seen) futex(FUTEX_WAIT_PRIVATE, seen);
    sleeping_.fetch_sub(1);
  }
#else
  // Without a futex, atomics of libstdc++ wait by means of static objects, which are destroyed before the pool ends;
  // and in version 12 a thread that is about to sleep may miss its wake-up.
  void raise() noexcept {
    {
      const std::lock_guard lock(sleep_);
      number_.fetch_add(1);
    }
    risen_.notify_all();
  }
  void wait(unsigned seen) noexcept {
    std::unique_lock lock(sleep_);
    while (number_.load() == seen) risen_.wait(lock);
  }
#endif

 private:
  std::atomic<unsigned> number_ = 0;
#if defined(__linux__)
  void futex(int operation, unsigned value) noexcept { syscall(SYS_futex, &number_, operation, value, nullptr); }
  static_assert(sizeof(std::atomic<unsigned>) == 4);

  std::atomic<int> sleeping_ = 0;
#else
  std::mutex sleep_;
  std::condition_variable risen_;
#endif
};

}  // namespace hone::inline HONE_ABI::on_cpu

#include <hone/core/macros_pop.hpp>
