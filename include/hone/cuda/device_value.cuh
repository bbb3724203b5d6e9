// SPDX-License-Identifier: MIT
/// One object in device memory, owned.
#pragma once

#include <hone/cuda/backend.cuh>

#include <type_traits>

namespace hone::on_cuda {

/// Taken from, and given back to, a stream, which must outlive it.
template <class T>
class device_value {
  static_assert(std::is_trivially_copyable_v<T>);

 public:
  /// `what` begins the message where the stream is captured.
  device_value(cudaStream_t stream, T const& value, const char* what) : stream_(stream) {
    const device_of_stream device(stream_);
    data_ = static_cast<T*>(allocate(stream_, sizeof value, what));
    set(value);
  }
  ~device_value() { cudaFreeAsync(data_, stream_); }
  device_value(device_value const&) = delete;
  device_value& operator=(device_value const&) = delete;

  T* data() const noexcept { return data_; }

  void set(T const& value) {
    check(cudaMemcpyAsync(data_, &value, sizeof value, cudaMemcpyHostToDevice, stream_), "cudaMemcpyAsync");
  }
  /// A copy on the host; waits for the stream.
  T host() const {
    T copy;
    check(cudaMemcpyAsync(&copy, data_, sizeof copy, cudaMemcpyDeviceToHost, stream_), "cudaMemcpyAsync");
    check(cudaStreamSynchronize(stream_), "cudaStreamSynchronize");
    return copy;
  }

 private:
  cudaStream_t stream_;
  T* data_ = nullptr;
};

}  // namespace hone::on_cuda
