// SPDX-License-Identifier: MIT
/// The memory of a stream's device, as core/memory.hpp asks for it.
#pragma once

#include <hone/core/memory.hpp>
#include <hone/cuda/device_value.cuh>
#include <hone/cuda/pairs.cuh>

namespace hone {

/// Taken from, and given back to, a stream, which must outlive it. Everything is in the stream's order; only read()
/// and cell::get() wait for it.
class device_memory {
 public:
  explicit device_memory(cuda const& backend) noexcept : stream_(backend.stream()) {}

  std::byte* allocate(std::size_t bytes) const {
    const on_cuda::device_of_stream device(stream_);
    return static_cast<std::byte*>(on_cuda::allocate(stream_, bytes > 0 ? bytes : 1, "device_memory: "));
  }
  void release(std::byte* p) const noexcept {
    if (p) cudaFreeAsync(p, stream_);
  }
  void clear(void* to, std::size_t bytes) const {
    const on_cuda::device_of_stream device(stream_);
    if (bytes > 0) on_cuda::check(cudaMemsetAsync(to, 0, bytes, stream_), "cudaMemsetAsync");
  }
  template <class T, class U>
  void assign(tensor_list<T> const& to, tensor_list<U> const& from) const {
    const cuda backend(stream_);
    const on_cuda::device_of_stream device(stream_);
    const device_list<T> target(backend, to);
    const device_list<U> source(backend, from);
    on_cuda::enqueue_pairs(stream_, target.table(), source.table().data, on_cuda::copy_job{}, "device_memory: assign");
  }
  void read(void* to, void const* from, std::size_t bytes) const {
    on_cuda::check(cudaMemcpyAsync(to, from, bytes, cudaMemcpyDeviceToHost, stream_), "cudaMemcpyAsync");
    on_cuda::check(cudaStreamSynchronize(stream_), "cudaStreamSynchronize");
  }
  void write(void* to, void const* from, std::size_t bytes) const {
    on_cuda::check(cudaMemcpyAsync(to, from, bytes, cudaMemcpyHostToDevice, stream_), "cudaMemcpyAsync");
  }

  template <class V>
  class cell : public on_cuda::device_value<V> {
   public:
    cell(device_memory memory, V const& value) : on_cuda::device_value<V>(memory.stream_, value, "device_memory: ") {}
    V get() const { return this->host(); }
  };

 private:
  cudaStream_t stream_;
};

}  // namespace hone
