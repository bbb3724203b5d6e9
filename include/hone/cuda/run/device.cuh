// SPDX-License-Identifier: MIT
/// A stream with its device, and memory in the stream's order.
#pragma once

#include <hone/cuda/run/allocator.cuh>

#include <new>
#include <utility>

#include <hone/core/macros_push.hpp>

namespace hone::inline HONE_ABI::on_cuda {

/// A stream with its device, and the allocator of its memory. The device of a default stream is the one that is current
/// at construction; so is that of every stream if the runtime (before CUDA 12.8) or the driver cannot return it.
struct placed_stream {
  cudaStream_t stream = nullptr;
  int device = 0;
  device_allocator allocator;

  placed_stream(cudaStream_t stream_, device_allocator const& allocator_ = {})
      : stream(stream_), allocator(require_complete(allocator_)) {
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

  /// Returns whether calls in the stream are captured into a graph; true if CUDA does not answer.
  bool is_captured() const noexcept;
  /// Throws hone::cuda_error, and leaves a capture intact, if the stream is captured, because a graph cannot hold calls
  /// that wait for a stream, allocate in its order, or depend on values known to the host.
  void require_no_capture(std::string const& what) const;
};

/// Makes the stream's device the current one during the life of this object.
class device_of_stream {
 public:
  explicit device_of_stream(placed_stream const& of) {
    check(cudaGetDevice(&before_), "cudaGetDevice");
    if (of.device == before_) return;
    check(cudaSetDevice(of.device), "cudaSetDevice");
    switched_ = true;
  }
  /// Keeps the current device if a CUDA call fails.
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

/// Memory of the stream's device, allocated and freed in the order of the stream, which must outlive it; work on other
/// streams is not ordered with it. Throws hone::cuda_error if the stream is captured. Memory is not freed if it is
/// released while its stream is captured, because the graph may read it.
class stream_memory {
 public:
  stream_memory(placed_stream const& of, std::size_t bytes, std::string const& what) : of_(of) {
    of.require_no_capture(what);
    const device_of_stream device(of);
    data_ = allocate(of.allocator, bytes, of.stream, what);
  }
  ~stream_memory() { release(of_, data_); }
  stream_memory(stream_memory&& other) noexcept : of_(other.of_), data_(std::exchange(other.data_, nullptr)) {}
  stream_memory& operator=(stream_memory const&) = delete;

  void* data() const noexcept { return data_; }
  /// Returns the memory; the caller must free it.
  void* detach() noexcept { return std::exchange(data_, nullptr); }

  static void release(placed_stream const& of, void* data) noexcept {
    if (!data || of.is_captured()) return;
    const device_of_stream device(of, std::nothrow);
    on_cuda::release(of.allocator, data, of.stream);
  }

 private:
  placed_stream of_;
  void* data_ = nullptr;
};

}  // namespace hone::inline HONE_ABI::on_cuda

#include <hone/core/macros_pop.hpp>
