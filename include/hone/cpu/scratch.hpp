// SPDX-License-Identifier: MIT
/// Scratch memory of the CPU backend: a few rows per thread, kept between calls.
#pragma once

#include <cstddef>
#include <new>
#include <utility>

namespace hone::on_cpu {

inline constexpr std::size_t scratch_alignment = 64;

enum class scratch_for : unsigned char { rows, class_weights, tensors, norms, detections, samples };

/// At least `bytes` of this thread's own, aligned, which stay valid until the thread asks for the same purpose again.
/// Grows to the largest request and is freed with the thread; throws std::bad_alloc before anything is written.
template <scratch_for>
std::byte* scratch(std::size_t bytes) {
  static constexpr auto alignment = std::align_val_t(scratch_alignment);
  struct block {
    std::byte* data = nullptr;
    std::size_t size = 0;

    ~block() { ::operator delete[](data, alignment); }
  };
  thread_local block kept;
  if (bytes > kept.size) {
    ::operator delete[](std::exchange(kept.data, nullptr), alignment);
    kept.size = 0;
    kept.data = static_cast<std::byte*>(::operator new[](bytes, alignment));
    kept.size = bytes;
  }
  return kept.data;
}

/// Hands out pieces of scratch memory, each aligned.
class carver {
 public:
  explicit carver(std::byte* memory) noexcept : at_(memory) {}

  template <class A>
  A* take(std::size_t count) noexcept {
    A* piece = reinterpret_cast<A*>(at_);
    at_ += room_for<A>(count);
    return piece;
  }
  template <class A>
  static constexpr std::size_t room_for(std::size_t count) noexcept {
    return (count * sizeof(A) + scratch_alignment - 1) / scratch_alignment * scratch_alignment;
  }

 private:
  std::byte* at_;
};

}  // namespace hone::on_cpu
