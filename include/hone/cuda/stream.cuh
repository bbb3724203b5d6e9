// SPDX-License-Identifier: MIT
/// A stream with its device, and memory in the stream's order.
#pragma once

#include <hone/cuda/error.cuh>

#include <cstddef>
#include <utility>

namespace hone::on_cuda {

/// A stream and its device. The device of a default stream is the one that is current when this is made; before CUDA
/// 12.8, where the runtime does not tell, so is that of every stream.
struct placed_stream {
  cudaStream_t stream = nullptr;
  int device = 0;

  placed_stream(cudaStream_t stream_) : stream(stream_) {
    check(cudaGetDevice(&device), "cudaGetDevice");
#if CUDART_VERSION >= 12080
    if (stream && stream != cudaStreamLegacy && stream != cudaStreamPerThread)
      check(cudaStreamGetDevice(stream, &device), "cudaStreamGetDevice");
#endif
  }

  /// Throws, and leaves a capture as it is, where the stream is captured: what waits for a stream, or allocates in its
  /// order, or depends on what the host knows, is for no graph.
  void require_no_capture(std::string const& what) const;
};

/// Makes the stream's device the current one while it lives.
class device_of_stream {
 public:
  explicit device_of_stream(placed_stream const& of) {
    check(cudaGetDevice(&before_), "cudaGetDevice");
    if (of.device == before_) return;
    check(cudaSetDevice(of.device), "cudaSetDevice");
    switched_ = true;
  }
  ~device_of_stream() {
    if (switched_) forget_error(cudaSetDevice(before_));
  }
  device_of_stream(device_of_stream const&) = delete;
  device_of_stream& operator=(device_of_stream const&) = delete;

 private:
  int before_ = 0;
  bool switched_ = false;
};

inline void placed_stream::require_no_capture(std::string const& what) const {
  const device_of_stream guard(*this);
  cudaStreamCaptureStatus capture = cudaStreamCaptureStatusNone;
  check(cudaStreamIsCapturing(stream, &capture), "cudaStreamIsCapturing");
  if (capture != cudaStreamCaptureStatusNone)
    detail::raise(cuda_error(cudaErrorStreamCaptureUnsupported,
                             what + "the stream is captured: do this before the capture begins or after it has ended"));
}

/// Memory of the stream's device, taken and given back in the stream's order; the stream must outlive it. Throws where
/// the stream is captured. What ends while its stream is captured leaves its memory behind, for the graph may read it.
class stream_memory {
 public:
  stream_memory(placed_stream const& of, std::size_t bytes, std::string const& what) : of_(of) {
    of.require_no_capture(what);
    const device_of_stream device(of);
    check(cudaMallocAsync(&data_, bytes, of.stream), "cudaMallocAsync");
  }
  ~stream_memory() { release(of_, data_); }
  stream_memory(stream_memory&& other) noexcept : of_(other.of_), data_(std::exchange(other.data_, nullptr)) {}
  stream_memory& operator=(stream_memory const&) = delete;

  void* data() const noexcept { return data_; }
  /// For who gives it back by itself.
  void* detach() noexcept { return std::exchange(data_, nullptr); }

  static void release(placed_stream const& of, void* data) noexcept {
    if (!data) return;
    int before = 0;  // no device_of_stream: nothing throws here
    const bool other = forget_error(cudaGetDevice(&before)) && before != of.device;
    if (other) forget_error(cudaSetDevice(of.device));
    cudaStreamCaptureStatus capture = cudaStreamCaptureStatusNone;
    if (forget_error(cudaStreamIsCapturing(of.stream, &capture)) && capture == cudaStreamCaptureStatusNone)
      forget_error(cudaFreeAsync(data, of.stream));
    if (other) forget_error(cudaSetDevice(before));
  }

 private:
  placed_stream of_;
  void* data_ = nullptr;
};

}  // namespace hone::on_cuda
