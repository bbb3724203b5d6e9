// SPDX-License-Identifier: MIT
/// A stream with its device, and memory in the stream's order.
#pragma once

#include <hone/cuda/run/error.cuh>

#include <cstddef>
#include <new>
#include <utility>

#include <hone/core/macros_push.hpp>

namespace hone::inline HONE_ABI::on_cuda {

/// A stream and its device. The device of a default stream is the one that is current when this is made; where the
/// runtime does not tell, before CUDA 12.8, or the driver does not know the question, so is that of every stream.
struct placed_stream {
  cudaStream_t stream = nullptr;
  int device = 0;

  placed_stream(cudaStream_t stream_) : stream(stream_) {
    check(cudaGetDevice(&device), "cudaGetDevice");
#if CUDART_VERSION >= 12080
    if (!stream || stream == cudaStreamLegacy || stream == cudaStreamPerThread) return;
    int of_stream = device;
    const cudaError_t answer = cudaStreamGetDevice(stream, &of_stream);
    if (answer == cudaErrorCallRequiresNewerDriver) {
      forget_error(answer);
      return;
    }
    check(answer, "cudaStreamGetDevice");
    device = of_stream;
#endif
  }

  /// Whether calls in the stream go into a graph; true where CUDA does not answer.
  bool is_captured() const noexcept;
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
  /// Where CUDA refuses, the current device stays.
  device_of_stream(placed_stream const& of, std::nothrow_t) noexcept
      : switched_(forget_error(cudaGetDevice(&before_)) && before_ != of.device &&
                  forget_error(cudaSetDevice(of.device))) {}
  ~device_of_stream() {
    if (switched_) forget_error(cudaSetDevice(before_));
  }
  device_of_stream(device_of_stream const&) = delete;
  device_of_stream& operator=(device_of_stream const&) = delete;

 private:
  int before_ = 0;
  bool switched_ = false;
};

inline bool placed_stream::is_captured() const noexcept {
  const device_of_stream guard(*this, std::nothrow);
  cudaStreamCaptureStatus capture = cudaStreamCaptureStatusNone;
  return !forget_error(cudaStreamIsCapturing(stream, &capture)) || capture != cudaStreamCaptureStatusNone;
}

inline void placed_stream::require_no_capture(std::string const& what) const {
  const device_of_stream guard(*this);
  cudaStreamCaptureStatus capture = cudaStreamCaptureStatusNone;
  check(cudaStreamIsCapturing(stream, &capture), "cudaStreamIsCapturing");
  if (capture != cudaStreamCaptureStatusNone)
    detail::raise(cuda_error(cudaErrorStreamCaptureUnsupported,
                             what + "the stream is captured: do this before the capture begins or after it has ended"));
}

/// Memory of the stream's device, taken and given back in the stream's order, which work on other streams is not part
/// of; the stream must outlive it. Throws where
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
    if (!data || of.is_captured()) return;
    const device_of_stream device(of, std::nothrow);
    forget_error(cudaFreeAsync(data, of.stream));
  }

 private:
  placed_stream of_;
  void* data_ = nullptr;
};

}  // namespace hone::inline HONE_ABI::on_cuda

#include <hone/core/macros_pop.hpp>
