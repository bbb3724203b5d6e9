// SPDX-License-Identifier: MIT
/// The messages that ranks sum: integers in device memory, so that no order changes a bit.
#pragma once

#include <hone/cuda/distributed/device_communicator.cuh>
#include <hone/cuda/run/backend.cuh>
#include <hone/distributed/agreement.hpp>
#include <hone/distributed/exact_sum.hpp>

#include <exception>
#include <initializer_list>

#include <hone/core/macros_push.hpp>

namespace hone::inline HONE_ABI::on_cuda {

using detail::exact_words;

/// Adds to a word, from any thread of a grid.
__device__ inline void add_to_word(std::int64_t* word, std::int64_t amount) {
  static_assert(sizeof(unsigned long long) == sizeof(std::int64_t));
  atomicAdd(reinterpret_cast<unsigned long long*>(word), static_cast<unsigned long long>(amount));
}
/// Adds a double to an exact sum, from any thread.
__device__ inline void add_exactly(std::int64_t* words, double x) {
  exact_words::split(x, [=](int word, std::int64_t amount) { add_to_word(words + word, amount); });
}
/// Raises a number that is not negative, whose bits are a word, to x.
__device__ inline void raise_word(std::int64_t* word, double x) {
  atomicMax(reinterpret_cast<unsigned long long*>(word), __builtin_bit_cast(unsigned long long, x));
}

/// The exact sums of a block, in shared memory, which the block adds to those of the grid at the end.
template <int Sums>
struct shared_exact_sums {
  static constexpr int words = Sums * exact_words::count;

  std::int64_t at[words];

  __device__ void clear() {
    for (int k = static_cast<int>(threadIdx.x); k < words; k += static_cast<int>(blockDim.x)) at[k] = 0;
    __syncthreads();
  }
  /// From any thread.
  __device__ void add(int sum, double x) { add_exactly(at + sum * exact_words::count, x); }
  /// By all threads.
  __device__ void add_to(std::int64_t* of_grid) {
    __syncthreads();
    for (int k = static_cast<int>(threadIdx.x); k < words; k += static_cast<int>(blockDim.x))
      if (at[k] != 0) add_to_word(of_grid + k, at[k]);
  }
};

/// A message begins with detail::status_words, as on the host: how many ranks failed, and Σ (rank + 1) over them. On
/// the device a kernel reads them: the host does not wait to learn of an error of another rank.
inline std::size_t message_bytes(index words) noexcept {
  return static_cast<std::size_t>(words) * sizeof(std::int64_t);
}

inline void clear_message(cuda const& backend, std::int64_t* words, index count) {
  check(cudaMemsetAsync(words, 0, message_bytes(count), backend.stream()), "cudaMemsetAsync");
}

/// Sums a message of a rank that failed.
template <device_communicator C>
void send_failure(cuda& backend, C const& ranks, index count) {
  backend.reserve(workspace_alignment + message_bytes(count));
  const device_of_stream device(backend.placed());
  auto* const words = reinterpret_cast<std::int64_t*>(workspace_of_kernels(backend));
  clear_message(backend, words, count);
  // Byte by byte, because a copy from this function's memory would not be what a captured graph repeats.
  const auto set = [&](std::size_t at, int value) {
    check(cudaMemsetAsync(reinterpret_cast<unsigned char*>(words) + at, value & 255, 1, backend.stream()),
          "cudaMemsetAsync");
  };
  const int which = int(ranks.rank()) + 1;
  set(0, 1), set(8, which), set(9, which >> 8), set(10, which >> 16);
  ranks.sum(words, static_cast<std::size_t>(count), backend.stream());
}

/// Runs body(), which checks the arguments of a call and enqueues nothing. If it throws, runs send(), which takes part
/// in the messages of the call as a rank that failed, and throws the error of body. Without exceptions an error ends
/// the process.
template <class Body, class Send>
void run_or_send(Body const& body, Send const& send) {
#if HONE_HAS_EXCEPTIONS
  std::exception_ptr mine;
  try {
    return body();
  } catch (...) {
    mine = std::current_exception();
  }
  try {
    send();
  } catch (std::exception const&) {  // the first error says more: the trainer aborts the communicator
  }
  std::rethrow_exception(mine);
#else
  static_cast<void>(send);
  body();
#endif
}

/// Runs body() on this rank, which checks the arguments of a call and enqueues nothing. If it throws, this rank still
/// takes part in the call's `messages`, each the number of words of a sum, or 0 for none, as one that failed; then it
/// throws.
template <device_communicator C, class Body>
void take_part(cuda& backend, C const& ranks, std::initializer_list<index> messages, Body const& body) {
  run_or_send(body, [&] {
    for (const index count : messages)
      if (count > 0) send_failure(backend, ranks, count);
  });
}

}  // namespace hone::inline HONE_ABI::on_cuda

#include <hone/core/macros_pop.hpp>
