// SPDX-License-Identifier: MIT
/// A CUDA stream as a backend, with the workspace that its calls need between kernels.
#pragma once

#include <hone/cuda/run/device.cuh>
#include <hone/cuda/run/side_stream.cuh>

#include <cstddef>
#include <cstdint>
#include <memory>
#include <utility>
#include <vector>

#include <hone/core/macros_push.hpp>

namespace hone::inline HONE_ABI {

namespace on_cuda {

inline constexpr std::size_t workspace_alignment = 256;
inline constexpr std::size_t small_workspace = 1 << 20;  // workspaces up to this size are never freed

/// Returns the bytes that an array takes if the next one in a workspace is aligned.
constexpr std::size_t aligned_bytes(std::size_t bytes) noexcept {
  return (bytes + workspace_alignment - 1) / workspace_alignment * workspace_alignment;
}

}  // namespace on_cuda

/// Enqueues work on a stream, on the device of that stream, and never waits for it. A call allocates only if the
/// workspace must grow; reserve() does that beforehand. A workspace that is replaced by a larger one is freed in the
/// stream's order, unless it is small or a captured call has used it: graphs may be replayed during the life of this
/// object, one call or replay after the other. For one host thread at a time; the stream must outlive it. A default
/// stream belongs to the device that is current at construction.
class cuda {
 public:
  explicit cuda(cudaStream_t stream) : stream_(stream) {}

  /// Takes all memory from an allocator. Throws hone::invalid_argument if one of its functions is missing.
  cuda(cudaStream_t stream, device_allocator const& allocator) : stream_(stream, allocator) {}

  /// Uses memory of the caller, device memory aligned to 256 bytes, and never allocates.
  cuda(cudaStream_t stream, void* workspace, std::size_t bytes) : stream_(stream), lent_(true) {
    if (reinterpret_cast<std::uintptr_t>(workspace) % on_cuda::workspace_alignment != 0 || (!workspace && bytes > 0))
      detail::fail("cuda: workspace is 0x%jx with %zu bytes, must be device memory aligned to %zu",
                   std::uintmax_t(reinterpret_cast<std::uintptr_t>(workspace)), bytes, on_cuda::workspace_alignment);
    begin(workspace, bytes);
  }

  cuda(cuda&& other) noexcept
      : stream_(other.stream_),
        memory_(std::exchange(other.memory_, nullptr)),
        bytes_(std::exchange(other.bytes_, 0)),
        lent_(std::exchange(other.lent_, false)),
        own_(std::move(other.own_)),
        in_graph_(other.in_graph_),
        side_(std::move(other.side_)),
        invalid_labels_(other.invalid_labels_) {}
  cuda& operator=(cuda const&) = delete;

  cudaStream_t stream() const noexcept { return stream_.stream; }
  on_cuda::placed_stream const& placed() const noexcept { return stream_; }

  /// Ensures at least `bytes` bytes of workspace. Throws hone::cuda_error, and leaves a capture intact, if the
  /// workspace must grow while the stream is captured, or if it is the caller's and too small.
  void reserve(std::size_t bytes) {
    if (bytes > bytes_) grow(bytes);
    if (bytes_ > on_cuda::small_workspace && !in_graph_) in_graph_ = stream_.is_captured();
  }

  /// Makes later calls add to *counter, in device memory, the number of rows whose label is neither a class nor
  /// ignored, once per term with a target. null: nothing is counted.
  void count_invalid_labels(unsigned long long* counter) noexcept { invalid_labels_ = counter; }
  unsigned long long* invalid_labels() const noexcept { return invalid_labels_; }

  /// Returns the workspace, whose first bytes hold 0 between calls: see cuda/run/reduce.cuh.
  void* workspace() const noexcept { return memory_; }

  /// Returns a stream for messages of ranks, which is made at the first call.
  on_cuda::side_stream const& side() {
    if (!side_) side_ = std::make_unique<on_cuda::side_stream>(stream_);
    return *side_;
  }

 private:
  void grow(std::size_t bytes) {
    const std::string need =
        "cuda: the workspace has " + std::to_string(bytes_) + " bytes, " + std::to_string(bytes) + " are needed, ";
    if (lent_) detail::raise(cuda_error(cudaErrorInvalidValue, need + "and it belongs to the caller"));
    const bool retained = bytes_ <= on_cuda::small_workspace || in_graph_;
    if (bytes < 2 * bytes_ && 2 * bytes_ <= on_cuda::small_workspace) bytes = 2 * bytes_;  // so that few sizes are kept
    on_cuda::stream_memory larger(stream_, bytes, need + "and ");
    own_.reserve(own_.size() + 1);
    begin(larger.data(), bytes);
    if (!retained) own_.pop_back();  // in the stream's order, after all work that uses it
    own_.push_back(std::move(larger));
    in_graph_ = false;
  }
  void begin(void* memory, std::size_t bytes) {
    const on_cuda::device_of_stream device(stream_);
    if (bytes >= on_cuda::workspace_alignment)
      on_cuda::check(cudaMemsetAsync(memory, 0, on_cuda::workspace_alignment, stream_.stream), "cudaMemsetAsync");
    memory_ = memory, bytes_ = bytes;
  }

  on_cuda::placed_stream stream_;
  void* memory_ = nullptr;
  std::size_t bytes_ = 0;
  bool lent_ = false;
  std::vector<on_cuda::stream_memory> own_;  // the last one is the workspace
  bool in_graph_ = false;                    // whether a captured call has used it; checked for large ones
  std::unique_ptr<on_cuda::side_stream> side_;
  unsigned long long* invalid_labels_ = nullptr;
};

namespace on_cuda {

/// Returns the workspace behind its first bytes, which belong to reduce.cuh.
inline std::byte* workspace_of_kernels(cuda const& backend) noexcept {
  return static_cast<std::byte*>(backend.workspace()) + workspace_alignment;
}

}  // namespace on_cuda
}  // namespace hone::inline HONE_ABI

#include <hone/core/macros_pop.hpp>
