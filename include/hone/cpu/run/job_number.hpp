// SPDX-License-Identifier: MIT
/// The number of the pool's latest job, for which its workers sleep.
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
  /// The next one, for all that sleep.
  void raise() noexcept {
    number_.fetch_add(1);
    number_.notify_all();
  }
  /// Sleeps until the number is another one.
  void wait(unsigned seen) const noexcept { number_.wait(seen); }
#else
  // Where there is no futex, atomics of libstdc++ wait by static objects of its own, which end before the pool does;
  // and in version 12 a thread that is about to fall asleep may miss that it is woken.
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
