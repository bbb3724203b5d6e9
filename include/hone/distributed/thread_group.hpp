// SPDX-License-Identifier: MIT
/// Threads of one process as ranks: for tests, and for trainers with a thread per device.
#pragma once

#include <hone/distributed/communicator.hpp>

#include <algorithm>
#include <chrono>
#include <condition_variable>
#include <cstring>
#include <exception>
#include <mutex>
#include <thread>
#include <utility>
#include <vector>

#include <hone/core/macros_push.hpp>

namespace hone::inline HONE_ABI {

namespace detail {

/// Where the threads of a group meet. The last one to arrive combines what all have brought, in the order of ranks.
class thread_meeting {
 public:
  thread_meeting(int ranks, std::chrono::milliseconds limit)
      : brought_(static_cast<std::size_t>(ranks)), limit_(limit) {}

  int size() const noexcept { return static_cast<int>(brought_.size()); }

  /// combine(all, result) is called once, by the last rank, while the others wait; then every rank gets the result.
  template <class T, class Combine>
  void meet(int rank, std::span<T> mine, Combine const& combine) {
    std::unique_lock lock(mutex_);
    if (stopped_) stop_here();
    brought_[static_cast<std::size_t>(rank)] = mine.data();
    if (++arrived_ == size()) {
      result_.resize(mine.size_bytes());
      combine(brought_, reinterpret_cast<T*>(result_.data()));
      arrived_ = 0, ++meeting_;
      changed_.notify_all();
    } else {
      const std::int64_t this_one = meeting_;
      const bool in_time = changed_.wait_for(lock, limit_, [&] { return stopped_ || meeting_ != this_one; });
      if (meeting_ == this_one) {
        late_ = late_ || !in_time;
        stopped_ = true;
        changed_.notify_all();
        stop_here();
      }
    }
    if (!mine.empty()) std::memcpy(mine.data(), result_.data(), mine.size_bytes());  // before the next meeting ends
  }
  /// Makes every rank throw that waits or meets later.
  void stop() {
    const std::lock_guard lock(mutex_);
    stopped_ = true;
    changed_.notify_all();
  }

 private:
  [[noreturn]] void stop_here() const {
    raise(communicator_error(late_ ? "thread_rank: a rank did not take part within the time limit"
                                   : "thread_rank: another rank has ended with an error"));
  }

  std::mutex mutex_;
  std::condition_variable changed_;
  std::vector<void*> brought_;
  std::vector<std::byte> result_;
  std::chrono::milliseconds limit_;
  std::int64_t meeting_ = 0;
  int arrived_ = 0;
  bool stopped_ = false, late_ = false;
};

}  // namespace detail

/// The communicator of a rank that is a thread of run_ranks. It is valid while run_ranks runs.
class thread_rank {
 public:
  thread_rank(detail::thread_meeting& meeting, int rank) noexcept : meeting_(&meeting), rank_(rank) {}

  int rank() const noexcept { return rank_; }
  int size() const noexcept { return meeting_->size(); }
  void sum(std::span<std::int64_t> integers) const {
    combine(integers, [](std::int64_t a, std::int64_t b) { return a + b; });
  }
  void sum(std::span<double> numbers) const {
    combine(numbers, [](double a, double b) { return a + b; });
  }
  void max(std::span<double> numbers) const {
    combine(numbers, [](double a, double b) { return b > a ? b : a; });
  }
  void broadcast(std::span<std::byte> bytes, int root) const {
    meeting_->meet(rank_, bytes, [&](std::vector<void*> const& all, std::byte* result) {
      if (!bytes.empty()) std::memcpy(result, all[static_cast<std::size_t>(root)], bytes.size());
    });
  }
  void barrier() const {
    meeting_->meet(rank_, std::span<std::byte>(), [](std::vector<void*> const&, std::byte*) {});
  }

 private:
  template <class T, class Add>
  void combine(std::span<T> mine, Add const& add) const {
    meeting_->meet(rank_, mine, [&](std::vector<void*> const& all, T* result) {
      for (std::size_t i = 0; i < mine.size(); ++i) {
        result[i] = static_cast<T const*>(all[0])[i];
        for (std::size_t r = 1; r < all.size(); ++r) result[i] = add(result[i], static_cast<T const*>(all[r])[i]);
      }
    });
  }

  detail::thread_meeting* meeting_;
  int rank_;
};

static_assert(communicator<thread_rank>);

/// Calls body(thread_rank) on `ranks` threads and returns when all have returned. If one throws, the others throw a
/// communicator_error from their next verb, and run_ranks throws the first error that is not such a consequence. A rank
/// that waits longer than the time limit throws, too. Throws hone::invalid_argument if ranks is not positive.
template <class Body>
void run_ranks(int ranks, Body const& body, std::chrono::milliseconds time_limit = std::chrono::minutes(5)) {
  detail::require(ranks >= 1, "run_ranks", "ranks", ranks, "at least 1");
  detail::thread_meeting meeting(ranks, time_limit);
#if HONE_HAS_EXCEPTIONS
  std::mutex mutex;
  std::exception_ptr own, consequence;
  const auto run = [&](int rank) {
    std::exception_ptr error;
    bool is_consequence = false;
    try {
      body(thread_rank(meeting, rank));
      return;
    } catch (communicator_error const&) {
      error = std::current_exception(), is_consequence = true;
    } catch (rank_error const&) {
      error = std::current_exception(), is_consequence = true;
    } catch (...) {
      error = std::current_exception();
    }
    meeting.stop();
    const std::lock_guard lock(mutex);
    std::exception_ptr& place = is_consequence ? consequence : own;
    if (!place) place = error;
  };
#else
  const auto run = [&](int rank) { body(thread_rank(meeting, rank)); };
#endif
  std::vector<std::thread> threads;
  threads.reserve(static_cast<std::size_t>(ranks));
  for (int rank = 0; rank < ranks; ++rank) threads.emplace_back(run, rank);
  for (std::thread& t : threads) t.join();
#if HONE_HAS_EXCEPTIONS
  if (own || consequence) std::rethrow_exception(own ? own : consequence);
#endif
}

}  // namespace hone::inline HONE_ABI

#include <hone/core/macros_pop.hpp>
