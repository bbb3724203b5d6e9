// SPDX-License-Identifier: MIT
/// The number of the pool's latest job. Sleeping workers wait for it to change.
#pragma once

#include <hone/core/config.hpp>

#include <atomic>

#if !defined(__linux__)
#include <condition_variable>
#include <mutex>
#endif

#include <hone/core/macros_push.hpp>

namespace hone::inline HONE_ABI::on_cpu {

class job_number {
 public:
  unsigned load() const noexcept { return number_.load(); }

#if defined(__linux__)
  /// Increments the number and wakes all sleeping workers.
  void raise() noexcept {
    number_.fetch_add(1);
    number_.notify_all();
  }
  /// Sleeps until the number differs from `seen`.
  void wait(unsigned seen) const noexcept { number_.wait(seen); }
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
#if !defined(__linux__)
  std::mutex sleep_;
  std::condition_variable risen_;
#endif
};

}  // namespace hone::inline HONE_ABI::on_cpu

#include <hone/core/macros_pop.hpp>
