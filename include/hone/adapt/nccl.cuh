// SPDX-License-Identifier: MIT
/// NCCL as a communicator of devices: docs/distributed.md. Needs NCCL 2.13 or later, of the CUDA toolkit or a package.
#pragma once

#include <hone/cuda/distributed/device_communicator.cuh>
#include <hone/cuda/run/error.cuh>
#include <hone/distributed/communicator.hpp>

#include <nccl.h>

#include <chrono>
#include <string>
#include <thread>

#include <hone/core/macros_push.hpp>

namespace hone::inline HONE_ABI {

/// The ranks of an ncclComm_t, which the trainer has made and destroys. It is a handle: copies name the same group.
/// Calls are enqueued on the stream that they are given, which must belong to the communicator's device; so they may be
/// captured, if the other ranks capture and replay the same calls.
///
///     hone::nccl ranks(communicator);
///     hone::transform(gpu, clip, gradients, ranks, &report);
///     ranks.wait(stream, std::chrono::minutes(2));  // in place of cudaStreamSynchronize
///
/// Errors throw hone::communicator_error with the text of ncclGetErrorString and ncclGetLastError.
class nccl {
 public:
  using milliseconds = std::chrono::milliseconds;

  /// `limit` is how long a call may take until it is enqueued, if the communicator was made with blocking = 0 and is
  /// still connecting its ranks.
  explicit nccl(ncclComm_t ranks, milliseconds limit = std::chrono::minutes(5)) : ranks_(ranks), limit_(limit) {
    if (!ranks) detail::fail("nccl: ranks is null, must be a communicator of NCCL");
    require(ncclCommUserRank(ranks_, &rank_), "ncclCommUserRank");
    require(ncclCommCount(ranks_, &size_), "ncclCommCount");
  }

  int rank() const noexcept { return rank_; }
  int size() const noexcept { return size_; }
  ncclComm_t get() const noexcept { return ranks_; }

  void sum(std::int64_t* integers, std::size_t count, cudaStream_t stream) const {
    reduce(integers, count, ncclInt64, ncclSum, stream);
  }
  void sum(double* numbers, std::size_t count, cudaStream_t stream) const {
    reduce(numbers, count, ncclFloat64, ncclSum, stream);
  }
  void max(double* numbers, std::size_t count, cudaStream_t stream) const {
    reduce(numbers, count, ncclFloat64, ncclMax, stream);
  }
  void broadcast(void* bytes, std::size_t count, int root, cudaStream_t stream) const {
    if (count > 0) require(ncclBroadcast(bytes, bytes, count, ncclUint8, root, ranks_, stream), "ncclBroadcast");
  }

  /// Throws if NCCL has found an error since the last call, such as a rank that is gone. It does not wait. The
  /// communicator is then of no more use: the trainer calls ncclCommAbort, which also ends what is enqueued.
  void check() const {
    ncclResult_t found = ncclSuccess;
    require(ncclCommGetAsyncError(ranks_, &found), "ncclCommGetAsyncError");
    if (found != ncclInProgress) require(found, "ncclCommGetAsyncError");
  }

  /// Waits for the stream, and calls check() meanwhile. Throws if a rank has not taken part within the limit, which
  /// NCCL itself does not notice. The stream must not be captured.
  void wait(cudaStream_t stream, milliseconds limit) const {
    const auto end = std::chrono::steady_clock::now() + limit;
    for (;;) {
      check();
      const cudaError_t state = cudaStreamQuery(stream);
      if (state == cudaSuccess) return check();
      on_cuda::forget_error(state);
      if (state != cudaErrorNotReady) on_cuda::check(state, "cudaStreamQuery");
      if (std::chrono::steady_clock::now() > end)
        raise("wait", "the stream has not ended within " + std::to_string(limit.count()) +
                          " ms: a rank did not take part, or the limit is too short");
      std::this_thread::sleep_for(std::chrono::microseconds(50));
    }
  }

 private:
  template <class T>
  void reduce(T* numbers, std::size_t count, ncclDataType_t type, ncclRedOp_t how, cudaStream_t stream) const {
    if (count > 0) require(ncclAllReduce(numbers, numbers, count, type, how, ranks_, stream), "ncclAllReduce");
  }
  void require(ncclResult_t result, const char* call) const {
    if (result == ncclInProgress) {
      const auto end = std::chrono::steady_clock::now() + limit_;
      while (result == ncclInProgress && std::chrono::steady_clock::now() < end) {
        std::this_thread::yield();
        if (ncclCommGetAsyncError(ranks_, &result) != ncclSuccess) result = ncclInternalError;
      }
    }
    if (result != ncclSuccess) raise(call, std::string(ncclGetErrorString(result)) + ": " + ncclGetLastError(ranks_));
  }
  [[noreturn]] void raise(const char* call, std::string const& text) const {
    detail::raise(communicator_error("nccl: rank " + std::to_string(rank_) + " of " + std::to_string(size_) + ": " +
                                     call + ": " + text));
  }

  ncclComm_t ranks_;
  milliseconds limit_;
  int rank_ = 0, size_ = 1;
};

static_assert(device_communicator<nccl>);

}  // namespace hone::inline HONE_ABI

#include <hone/core/macros_pop.hpp>
