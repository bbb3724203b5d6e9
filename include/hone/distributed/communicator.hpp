// SPDX-License-Identifier: MIT
/// Communicators: how ranks sum a few numbers. The trainer starts them; hone only uses them.
#pragma once

#include <hone/core/error.hpp>
#include <hone/core/number.hpp>

#include <concepts>
#include <cstddef>
#include <cstdint>
#include <span>
#include <stdexcept>

#include <hone/core/macros_push.hpp>

namespace hone::inline HONE_ABI {

/// A rank is one of the processes, or threads, that train a model together. A communicator connects the ranks of a
/// group. It is a handle: copies name the same group. Each verb is called by all ranks of the group, in the same order,
/// and returns when its result is there:
///
///     rank()                  this rank, from 0
///     size()                  the number of ranks, at least 1
///     sum(span)               replaces each integer, or double, by its sum over all ranks
///     max(span)               replaces each double by the largest of all ranks; none is NaN
///     broadcast(bytes, root)  copies the bytes of rank `root` to all others
///     barrier()               returns when all ranks have called it
///
/// Integers are summed exactly, doubles in an order of the transport. The spans have the same size on every rank. A
/// failure of the transport, such as a rank that is gone, throws hone::communicator_error.
///
/// hone's models: hone::self, hone::thread_rank, hone::mpi (hone/adapt/mpi.hpp) and hone::process_group of LibTorch
/// (hone/adapt/process_group.hpp). hone::nccl (hone/adapt/nccl.cuh) is a communicator of the device.
template <class C>
concept communicator =
    requires(C const& ranks, std::span<std::int64_t> integers, std::span<double> numbers, std::span<std::byte> bytes) {
      { ranks.rank() } -> std::convertible_to<int>;
      { ranks.size() } -> std::convertible_to<int>;
      ranks.sum(integers);
      ranks.sum(numbers);
      ranks.max(numbers);
      ranks.broadcast(bytes, 0);
      ranks.barrier();
    };

/// The transport failed: a rank is gone, or did not take part within the time limit.
class communicator_error : public std::runtime_error {
 public:
  using std::runtime_error::runtime_error;
};

/// Another rank failed in the same call: "transform: rank 2 of 4 failed". That rank throws its own error.
class rank_error : public std::runtime_error {
 public:
  using std::runtime_error::runtime_error;
};

/// What the trainer does with the gradients of its ranks after the backward pass. It decides by which factor hone
/// multiplies the gradient of a mean over all ranks.
enum class rank_gradients : unsigned char {
  averaged,  ///< divided by the number of ranks, as DistributedDataParallel does
  summed     ///< only added up
};

/// The communicator of a single process: no verb does anything.
struct self {
  static constexpr int rank() noexcept { return 0; }
  static constexpr int size() noexcept { return 1; }
  static constexpr void sum(std::span<std::int64_t>) noexcept {}
  static constexpr void sum(std::span<double>) noexcept {}
  static constexpr void max(std::span<double>) noexcept {}
  static constexpr void broadcast(std::span<std::byte>, int) noexcept {}
  static constexpr void barrier() noexcept {}
};

static_assert(communicator<self>);

}  // namespace hone::inline HONE_ABI

#include <hone/core/macros_pop.hpp>
