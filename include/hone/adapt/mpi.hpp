// SPDX-License-Identifier: MIT
/// MPI as a communicator, of MPI 3.0 or later. The trainer initialises MPI and makes the communicator.
///
///     int threads;
///     MPI_Init_thread(&argc, &argv, MPI_THREAD_FUNNELED, &threads);
///     MPI_Comm_set_errhandler(MPI_COMM_WORLD, MPI_ERRORS_RETURN);
///     const hone::mpi ranks{MPI_COMM_WORLD, {.time_limit = std::chrono::minutes(5)}};
///
/// docs/distributed.md
#pragma once

#include <hone/core/message.hpp>
#include <hone/distributed/communicator.hpp>

#include <algorithm>
#include <chrono>
#include <cstdio>
#include <cstring>
#include <memory>
#include <thread>

#include <mpi.h>

#include <hone/core/macros_push.hpp>

namespace hone::inline HONE_ABI {

struct mpi_options {
  /// How long a verb waits for the other ranks, at least 1 ms; of a broadcast or a sum of more than 16 MiB, for each
  /// 16 MiB.
  std::chrono::milliseconds time_limit = std::chrono::minutes(5);
};

namespace detail {

/// What all copies of a communicator share.
class mpi_group {
 public:
  static constexpr std::size_t most_bytes = std::size_t(1) << 24;  ///< of a call, whose count is an int

  mpi_group(MPI_Comm comm, mpi_options options) : comm_(comm), limit_(options.time_limit) {
    require(limit_.count() >= 1, "mpi", "time_limit in ms", std::int64_t(limit_.count()), "at least 1");
    const auto expect = [](bool ok, const char* otherwise) { fail_unless(ok, "mpi: %s", otherwise); };
    int flag = 0, level = 0;
    MPI_Initialized(&flag);
    expect(flag != 0, "MPI is not initialised; the trainer calls MPI_Init or MPI_Init_thread before");
    MPI_Finalized(&flag);
    expect(flag == 0, "MPI is finalised already");
    expect(comm != MPI_COMM_NULL, "the communicator is MPI_COMM_NULL");
    MPI_Comm_test_inter(comm, &flag);
    expect(flag == 0, "the communicator is an intercommunicator");
    expect(!errors_end_process(comm),
           "an error would end the process, before hone can report it; call "
           "MPI_Comm_set_errhandler(comm, MPI_ERRORS_RETURN) before");
    MPI_Comm_rank(comm, &rank_);
    MPI_Comm_size(comm, &size_);
    MPI_Query_thread(&level);
    main_thread_only_ = level < MPI_THREAD_SERIALIZED;
  }
  mpi_group(mpi_group const&) = delete;
  mpi_group& operator=(mpi_group const&) = delete;
  ~mpi_group() {
    if (failed_) abandon();
  }

  MPI_Comm comm() const noexcept { return comm_; }
  int rank() const noexcept { return rank_; }
  int size() const noexcept { return size_; }

  /// Runs a nonblocking collective on a copy of the numbers, in pieces: start(copy, count, request) returns MPI's
  /// status.
  template <class T, class Start>
  void run(const char* verb, std::span<T> numbers, Start const& start) {
    check(verb);
    std::size_t begin = 0;
    do {  // once if there are none: every rank takes part
      const std::size_t count = std::min(numbers.size() - begin, most_bytes / sizeof(T)), bytes = count * sizeof(T);
      reserve(std::max(bytes, std::size_t(8)));
      if (count != 0) std::memcpy(copy_.get(), numbers.data() + begin, bytes);
      MPI_Request request = MPI_REQUEST_NULL;
      wait(verb, request, start(copy_.get(), static_cast<int>(count), &request));
      if (count != 0) std::memcpy(numbers.data() + begin, copy_.get(), bytes);
      begin += count;
    } while (begin < numbers.size());
  }

 private:
  using clock = std::chrono::steady_clock;

  static bool errors_end_process(MPI_Comm comm) {
    MPI_Errhandler handler = MPI_ERRHANDLER_NULL;
    MPI_Comm_get_errhandler(comm, &handler);
    bool ends = handler == MPI_ERRORS_ARE_FATAL;
#ifdef MPI_ERRORS_ABORT  // MPI 4.0
    ends = ends || handler == MPI_ERRORS_ABORT;
#endif
    if (handler != MPI_ERRHANDLER_NULL) MPI_Errhandler_free(&handler);
    return ends;
  }

  void check(const char* verb) const {
    int flag = 0;
    MPI_Finalized(&flag);
    fail_unless(flag == 0, "mpi: %s is called after MPI_Finalize", verb);
    if (main_thread_only_) {
      MPI_Is_thread_main(&flag);
      fail_unless(flag != 0,
                  "mpi: %s is called by another thread than the one that initialised MPI, which needs "
                  "MPI_Init_thread with MPI_THREAD_SERIALIZED",
                  verb);
    }
    if (failed_) raise_error(verb, "an earlier verb has failed");
  }

  void reserve(std::size_t bytes) {
    if (bytes <= capacity_) return;
    copy_ = std::make_unique<std::byte[]>(bytes);
    capacity_ = bytes;
  }
  /// Leaks the copy on purpose: MPI cannot cancel a collective, and may write to its memory until the process ends.
  void abandon() noexcept { static_cast<void>(copy_.release()); }

  /// Tests the request until it is complete or the time is over. MPI progresses in these tests only. The core is given
  /// to others early, because a trainer may have more ranks or threads than cores.
  void wait(const char* verb, MPI_Request& request, int status) {
    const clock::time_point start = clock::now();
    for (int done = 0, tests = 0; status == MPI_SUCCESS; tests = std::min(tests + 1, 100)) {
      status = MPI_Test(&request, &done, MPI_STATUS_IGNORE);
      if (status == MPI_SUCCESS && done != 0) return;
      if (tests < 100) continue;
      const auto waited = clock::now() - start;
      if (waited > limit_) late(verb);
      if (waited < std::chrono::milliseconds(50))
        std::this_thread::yield();
      else
        std::this_thread::sleep_for(std::chrono::microseconds(200));
    }
    char text[MPI_MAX_ERROR_STRING];
    int length = 0;
    if (MPI_Error_string(status, text, &length) != MPI_SUCCESS) std::snprintf(text, sizeof text, "error %d", status);
    failed_ = true;
    raise_error(verb, text);
  }
  [[noreturn]] void late(const char* verb) {
    const auto ms = static_cast<long long>(limit_.count());
    const bool seconds = ms % 1000 == 0;
    char text[100];
    std::snprintf(text, sizeof text, "not all ranks took part within the time limit of %jd %s",
                  std::intmax_t(seconds ? ms / 1000 : ms), seconds ? "s" : "ms");
    failed_ = true;
    raise_error(verb, text);
  }

  [[noreturn]] void raise_error(const char* verb, const char* what) const {
    char text[MPI_MAX_ERROR_STRING + 100];
    std::snprintf(text, sizeof text, "mpi: %s on rank %d of %d: %s", verb, rank_, size_, what);
    raise(communicator_error(text));
  }

  MPI_Comm comm_;
  std::chrono::milliseconds limit_;
  int rank_ = 0, size_ = 1;
  bool main_thread_only_ = true, failed_ = false;
  std::unique_ptr<std::byte[]> copy_;
  std::size_t capacity_ = 0;
};

}  // namespace detail

/// The communicator over an intracommunicator of MPI, which must live as long as it is used. Copies share what they
/// need.
///
/// The verbs are nonblocking collectives, tested until the time limit. Where a rank is gone or late, the others throw
///     hone::communicator_error  "mpi: sum on rank 1 of 4: not all ranks took part within the time limit of 300 s"
/// and all later verbs throw, too. MPI_Finalize may then wait forever: end the process by MPI_Abort or std::_Exit.
/// The communicator's error handler must return, as MPI_ERRORS_RETURN does; MPI's own default ends the process.
///
/// Threads: below MPI_THREAD_SERIALIZED only the thread that initialised MPI may call verbs. MPI_THREAD_FUNNELED is
/// enough for it, because no thread of hone::cpu calls MPI. While other threads use MPI, it needs MPI_THREAD_MULTIPLE
/// and, if these use collectives, a communicator of its own (MPI_Comm_dup).
///
/// Throws hone::invalid_argument if MPI is not initialised or is finalised, if the communicator is null or an
/// intercommunicator, if its errors end the process, or if the time limit is not positive; verbs if they are called by
/// the wrong thread.
class mpi {
 public:
  explicit mpi(MPI_Comm comm, mpi_options options = {}) : group_(std::make_shared<detail::mpi_group>(comm, options)) {}

  int rank() const noexcept { return group_->rank(); }
  int size() const noexcept { return group_->size(); }
  MPI_Comm comm() const noexcept { return group_->comm(); }

  void sum(std::span<std::int64_t> integers) const { reduce("sum", integers, MPI_INT64_T, MPI_SUM); }
  void sum(std::span<double> numbers) const { reduce("sum", numbers, MPI_DOUBLE, MPI_SUM); }
  void max(std::span<double> numbers) const { reduce("max", numbers, MPI_DOUBLE, MPI_MAX); }
  void broadcast(std::span<std::byte> bytes, int root) const {
    detail::fail_unless(root >= 0 && root < size(), "mpi: broadcast: root is %d, and there are %d ranks", root, size());
    group_->run("broadcast", bytes, [&](void* copy, int count, MPI_Request* request) {
      return MPI_Ibcast(copy, count, MPI_BYTE, root, comm(), request);
    });
  }
  void barrier() const {
    group_->run("barrier", std::span<std::byte>(),
                [&](void*, int, MPI_Request* request) { return MPI_Ibarrier(comm(), request); });
  }

 private:
  template <class T>
  void reduce(const char* verb, std::span<T> numbers, MPI_Datatype type, MPI_Op op) const {
    group_->run(verb, numbers, [&](void* copy, int count, MPI_Request* request) {
      return MPI_Iallreduce(MPI_IN_PLACE, copy, count, type, op, comm(), request);
    });
  }

  std::shared_ptr<detail::mpi_group> group_;
};

static_assert(communicator<mpi>);

}  // namespace hone::inline HONE_ABI

#include <hone/core/macros_pop.hpp>
