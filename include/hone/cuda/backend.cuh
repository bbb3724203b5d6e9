// SPDX-License-Identifier: MIT
/// A CUDA stream as a backend, with the little memory that its calls need between kernels.
#pragma once

#include <hone/cuda/error.cuh>

#include <cstddef>
#include <cstdint>
#include <utility>

namespace hone {

namespace on_cuda {

/// Makes the stream's device the current one while it lives.
class device_of_stream {
 public:
  explicit device_of_stream(cudaStream_t stream) {
    check(cudaGetDevice(&before_), "cudaGetDevice");
    int device = before_;
#if CUDART_VERSION >= 12080
    check(cudaStreamGetDevice(stream, &device), "cudaStreamGetDevice");
#else
    static_cast<void>(stream);
#endif
    if (device == before_) return;
    check(cudaSetDevice(device), "cudaSetDevice");
    switched_ = true;
  }
  ~device_of_stream() {
    if (switched_) cudaSetDevice(before_);
  }
  device_of_stream(device_of_stream const&) = delete;
  device_of_stream& operator=(device_of_stream const&) = delete;

 private:
  int before_ = 0;
  bool switched_ = false;
};

inline constexpr std::size_t workspace_alignment = 256;

/// Memory of the stream's device, in its order. Throws, and leaves a capture as it is, where the stream is captured.
inline void* allocate(cudaStream_t stream, std::size_t bytes, std::string const& what) {
  cudaStreamCaptureStatus capture = cudaStreamCaptureStatusNone;
  check(cudaStreamIsCapturing(stream, &capture), "cudaStreamIsCapturing");
  if (capture != cudaStreamCaptureStatusNone)
    detail::raise(cuda_error(cudaErrorStreamCaptureUnsupported,
                             what + "the stream is captured: do this before the capture begins"));
  void* memory = nullptr;
  check(cudaMallocAsync(&memory, bytes, stream), "cudaMallocAsync");
  return memory;
}

}  // namespace on_cuda

/// Enqueues work on a stream, of that stream's device, and never waits for it. A call allocates only where the
/// workspace must grow; reserve() does that beforehand. For one host thread at a time; the stream must outlive it.
class cuda {
 public:
  explicit cuda(cudaStream_t stream) noexcept : stream_(stream) {}

  /// Works in memory of the caller's, device memory aligned to 256 bytes, and never allocates.
  cuda(cudaStream_t stream, void* workspace, std::size_t bytes) : stream_(stream) {
    if (reinterpret_cast<std::uintptr_t>(workspace) % on_cuda::workspace_alignment != 0 || (!workspace && bytes > 0))
      detail::fail("cuda: workspace is %p with %zu bytes, must be device memory aligned to %zu", workspace, bytes,
                   on_cuda::workspace_alignment);
    memory_ = workspace, bytes_ = bytes, owned_ = false;
    const on_cuda::device_of_stream device(stream_);
    clear();
  }

  ~cuda() {
    if (owned_ && memory_) cudaFreeAsync(memory_, stream_);
  }
  cuda(cuda const&) = delete;
  cuda& operator=(cuda const&) = delete;
  cuda(cuda&& other) noexcept
      : stream_(other.stream_),
        memory_(std::exchange(other.memory_, nullptr)),
        bytes_(std::exchange(other.bytes_, 0)),
        owned_(std::exchange(other.owned_, true)),
        invalid_labels_(other.invalid_labels_) {}

  cudaStream_t stream() const noexcept { return stream_; }

  /// At least so many bytes of workspace. Throws hone::cuda_error, and leaves a capture as it is, where the
  /// workspace must grow while the stream is captured, or is the caller's and too small.
  void reserve(std::size_t bytes) {
    if (bytes <= bytes_) return;
    const std::string need =
        "cuda: the workspace has " + std::to_string(bytes_) + " bytes, " + std::to_string(bytes) + " are needed, ";
    if (!owned_) detail::raise(cuda_error(cudaErrorInvalidValue, need + "and it belongs to the caller"));
    const on_cuda::device_of_stream device(stream_);
    void* const larger = on_cuda::allocate(stream_, bytes, need + "and ");
    if (memory_) on_cuda::check(cudaFreeAsync(memory_, stream_), "cudaFreeAsync");
    memory_ = larger, bytes_ = bytes;
    clear();
  }

  /// From now on calls add to *counter, in device memory, the rows whose label is neither a class nor ignored, once
  /// per term with a target; null: nothing is counted.
  void count_invalid_labels(unsigned long long* counter) noexcept { invalid_labels_ = counter; }
  unsigned long long* invalid_labels() const noexcept { return invalid_labels_; }

  /// The first bytes hold 0 between calls, see cuda/reduce.cuh.
  void* workspace() const noexcept { return memory_; }

 private:
  void clear() {
    if (bytes_ >= on_cuda::workspace_alignment)
      on_cuda::check(cudaMemsetAsync(memory_, 0, on_cuda::workspace_alignment, stream_), "cudaMemsetAsync");
  }

  cudaStream_t stream_;
  void* memory_ = nullptr;
  std::size_t bytes_ = 0;
  bool owned_ = true;
  unsigned long long* invalid_labels_ = nullptr;
};

}  // namespace hone
