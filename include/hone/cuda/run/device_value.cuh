// SPDX-License-Identifier: MIT
/// One object in device memory, owned.
#pragma once

#include <hone/cuda/run/backend.cuh>

#include <type_traits>

#include <hone/core/macros_push.hpp>

namespace hone::inline HONE_ABI::on_cuda {

/// Allocated and freed in the order of a stream, which must outlive it. The constructor, set() and host() throw
/// hone::cuda_error if the stream is captured.
template <class T>
class device_value {
  static_assert(std::is_trivially_copyable_v<T>);

 public:
  /// `what` is the start of error messages.
  device_value(placed_stream const& stream, T const& value, const char* what)
      : stream_(stream), what_(what), memory_(stream, sizeof value, what) {
    set(value);
  }

  T* data() const noexcept { return static_cast<T*>(memory_.data()); }

  void set(T const& value) {
    stream_.require_no_capture(what_);
    const device_of_stream device(stream_);
    check(cudaMemcpyAsync(data(), &value, sizeof value, cudaMemcpyHostToDevice, stream_.stream), "cudaMemcpyAsync");
  }
  /// Returns a copy on the host; waits for the stream.
  T host() const {
    stream_.require_no_capture(what_);
    const device_of_stream device(stream_);
    T copy;
    check(cudaMemcpyAsync(&copy, data(), sizeof copy, cudaMemcpyDeviceToHost, stream_.stream), "cudaMemcpyAsync");
    check(cudaStreamSynchronize(stream_.stream), "cudaStreamSynchronize");
    return copy;
  }

 private:
  placed_stream stream_;
  const char* what_;
  stream_memory memory_;
};

}  // namespace hone::inline HONE_ABI::on_cuda

#include <hone/core/macros_pop.hpp>
