// SPDX-License-Identifier: MIT
/// Scratch memory of the CPU backend: a few rows per thread, kept between calls.
#pragma once

#include <cstddef>
#include <memory>
#include <new>

namespace hone::on_cpu {

inline constexpr std::size_t scratch_alignment = 64;

/// At least `bytes` of this thread's own, aligned, which stay valid until the next call on this thread. Grows
/// to the largest request and is freed with the thread; throws std::bad_alloc before anything is written.
inline std::byte* scratch(std::size_t bytes) {
  struct release {
    void operator()(std::byte* p) const noexcept { ::operator delete[](p, std::align_val_t(scratch_alignment)); }
  };
  thread_local std::unique_ptr<std::byte[], release> memory;
  thread_local std::size_t size = 0;
  if (bytes > size) {
    memory.reset();
    size = 0;
    memory.reset(static_cast<std::byte*>(::operator new[](bytes, std::align_val_t(scratch_alignment))));
    size = bytes;
  }
  return memory.get();
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
