// SPDX-License-Identifier: MIT
/// Where the CUDA backend takes device memory from.
#pragma once

#include <hone/cuda/run/error.cuh>

#include <cstddef>
#include <string>

#include <hone/core/macros_push.hpp>

namespace hone::inline HONE_ABI {

/// The allocator of a trainer, such as PyTorch's caching allocator. A hone::cuda that has one takes its workspace from
/// it, and so do all objects that are made with this backend: device_list, device_report, device_ema_state and others.
///
///     hone::cuda gpu(stream, hone::device_allocator{
///         .allocate = [](void*, std::size_t bytes, cudaStream_t s) { return raw_alloc_with_stream(bytes, s); },
///         .release = [](void*, void* memory, cudaStream_t) { raw_delete(memory); }});
///
///   allocate  returns device memory of at least `bytes` > 0 bytes, aligned to 256, that may be used at once in the
///             order of `stream`; null or an exception where there is none
///   release   takes memory back, of which work that is in `stream` already may still be using; must not throw
///   context   first argument of both
///
/// Both are called on the host, with the stream's device as the current one, by the threads that use the backend and
/// its objects, and must be valid until the last of them is destroyed. Without functions, memory is that of
/// cudaMallocAsync.
struct device_allocator {
  void* (*allocate)(void* context, std::size_t bytes, cudaStream_t stream) = nullptr;
  void (*release)(void* context, void* memory, cudaStream_t stream) = nullptr;
  void* context = nullptr;
};

/// The allocator of a memory pool of CUDA, which must outlive what takes memory from it.
inline device_allocator pool_allocator(cudaMemPool_t pool) noexcept {
  return {
      .allocate =
          [](void* context, std::size_t bytes, cudaStream_t stream) {
            void* memory = nullptr;
            const auto pool = static_cast<cudaMemPool_t>(context);
            on_cuda::check(cudaMallocFromPoolAsync(&memory, bytes, pool, stream), "cudaMallocFromPoolAsync");
            return memory;
          },
      .release = [](void*, void* memory, cudaStream_t stream) { on_cuda::forget_error(cudaFreeAsync(memory, stream)); },
      .context = pool};
}

namespace on_cuda {

/// Throws hone::invalid_argument if one of the two functions is missing.
inline device_allocator const& require_complete(device_allocator const& allocator) {
  if (!allocator.allocate != !allocator.release)
    detail::fail("cuda: allocator has %s but no %s, must have both or neither",
                 allocator.allocate ? "allocate" : "release", allocator.allocate ? "release" : "allocate");
  return allocator;
}

/// Returns new memory; the stream's device is the current one. Throws hone::cuda_error if there is none.
inline void* allocate(device_allocator const& from, std::size_t bytes, cudaStream_t stream, std::string const& what) {
  void* memory = nullptr;
  if (!from.allocate) {
    check(cudaMallocAsync(&memory, bytes, stream), "cudaMallocAsync");
  } else if (memory = from.allocate(from.context, bytes, stream); !memory) {
    detail::raise(cuda_error(cudaErrorMemoryAllocation,
                             what + "the allocator has no " + std::to_string(bytes) + " bytes of device memory"));
  }
  return memory;
}
inline void release(device_allocator const& to, void* memory, cudaStream_t stream) noexcept {
  if (to.release) {
    to.release(to.context, memory, stream);
  } else {
    forget_error(cudaFreeAsync(memory, stream));
  }
}

}  // namespace on_cuda
}  // namespace hone::inline HONE_ABI

#include <hone/core/macros_pop.hpp>
