// SPDX-License-Identifier: MIT
/// Communicators of devices: how ranks sum a few numbers that are in device memory, in the order of a stream.
#pragma once

#include <hone/core/number.hpp>

#include <cuda_runtime_api.h>

#include <concepts>
#include <cstddef>
#include <cstdint>

#include <hone/core/macros_push.hpp>

namespace hone::inline HONE_ABI {

/// What hone::communicator is on the host, for numbers in device memory. The trainer starts it; hone only uses it. Each
/// verb enqueues work on a stream and returns; it never waits for the stream, and it may be captured into a graph. All
/// ranks of a group call the same verbs with the same counts, in the same order:
///   rank()                             this rank, from 0
///   size()                             the number of ranks, at least 1
///   sum(integers, count, stream)       replaces `count` std::int64_t by their sums over all ranks, exactly
///   sum(numbers, count, stream)        the same for double, in an order of the transport
///   max(numbers, count, stream)        replaces each double by the largest of all ranks; no number is NaN
///   broadcast(bytes, count, root, stream)   copies `count` bytes of rank `root` to all others
/// If a call fails, it throws hone::communicator_error. A rank that is gone is not found by these calls, because they
/// do not wait: see hone::nccl::check and hone::nccl::wait.
///
/// hone's models: hone::device_self, hone::nccl (hone/adapt/nccl.cuh).
template <class C>
concept device_communicator = requires(C const& ranks, std::int64_t* integers, double* numbers, void* bytes,
                                       std::size_t count, cudaStream_t stream) {
  { ranks.rank() } -> std::convertible_to<int>;
  { ranks.size() } -> std::convertible_to<int>;
  ranks.sum(integers, count, stream);
  ranks.sum(numbers, count, stream);
  ranks.max(numbers, count, stream);
  ranks.broadcast(bytes, count, 0, stream);
};

/// The communicator of a single device: no verb does anything.
struct device_self {
  static constexpr int rank() noexcept { return 0; }
  static constexpr int size() noexcept { return 1; }
  static constexpr void sum(std::int64_t*, std::size_t, cudaStream_t) noexcept {}
  static constexpr void sum(double*, std::size_t, cudaStream_t) noexcept {}
  static constexpr void max(double*, std::size_t, cudaStream_t) noexcept {}
  static constexpr void broadcast(void*, std::size_t, int, cudaStream_t) noexcept {}
};

static_assert(device_communicator<device_self>);

}  // namespace hone::inline HONE_ABI

#include <hone/core/macros_pop.hpp>
