// SPDX-License-Identifier: MIT
/// The memory of a stream's device, as core/memory.hpp requires it.
#pragma once

#include <hone/core/memory.hpp>
#include <hone/cuda/run/device_value.cuh>
#include <hone/cuda/tensors/pairs.cuh>

#include <hone/core/macros_push.hpp>

namespace hone::inline HONE_ABI {

/// Allocates and frees in the order of a stream, which must outlive it. Only read() and cell::get() wait for the
/// stream. Operations that a graph cannot repeat throw hone::cuda_error if the stream is captured.
class device_memory {
 public:
  explicit device_memory(cuda const& backend) noexcept : stream_(backend.placed()) {}

  std::byte* allocate(std::size_t bytes) const {
    return static_cast<std::byte*>(on_cuda::stream_memory(stream_, bytes > 0 ? bytes : 1, what).detach());
  }
  void release(std::byte* p) const noexcept { on_cuda::stream_memory::release(stream_, p); }
  void clear(void* to, std::size_t bytes) const {
    const on_cuda::device_of_stream device(stream_);
    if (bytes > 0) on_cuda::check(cudaMemsetAsync(to, 0, bytes, stream_.stream), "cudaMemsetAsync");
  }
  template <class T, class U>
  void assign(tensor_list<T> const& to, tensor_list<U> const& from) const {
    const on_cuda::device_of_stream device(stream_);
    const cuda backend(stream_.stream, stream_.allocator);
    const device_list<T> target(backend, to);
    const device_list<U> source(backend, from);
    on_cuda::enqueue_pairs(stream_.stream, target.table(), source.table().data, on_cuda::copy_job{},
                           "device_memory: assign");
  }
  void read(void* to, void const* from, std::size_t bytes) const {
    copy(to, from, bytes, cudaMemcpyDeviceToHost);
    on_cuda::check(cudaStreamSynchronize(stream_.stream), "cudaStreamSynchronize");
  }
  void write(void* to, void const* from, std::size_t bytes) const { copy(to, from, bytes, cudaMemcpyHostToDevice); }

  /// Throws hone::cuda_error if the stream is captured.
  void require_no_capture() const { stream_.require_no_capture(what); }

  template <class V>
  class cell : public on_cuda::device_value<V> {
   public:
    cell(device_memory memory, V const& value) : on_cuda::device_value<V>(memory.stream_, value, what) {}
    V get() const { return this->host(); }
  };

 private:
  static constexpr const char* what = "device_memory: ";

  void copy(void* to, void const* from, std::size_t bytes, cudaMemcpyKind kind) const {
    require_no_capture();
    const on_cuda::device_of_stream device(stream_);
    on_cuda::check(cudaMemcpyAsync(to, from, bytes, kind, stream_.stream), "cudaMemcpyAsync");
  }

  on_cuda::placed_stream stream_;
};

}  // namespace hone::inline HONE_ABI

#include <hone/core/macros_pop.hpp>
