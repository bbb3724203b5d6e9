// SPDX-License-Identifier: MIT
/// Scratch memory of the CPU backend: a few rows per thread, kept between calls.
#pragma once

#include <hone/core/config.hpp>

#include <cstddef>
#include <new>
#include <utility>

#include <hone/core/macros_push.hpp>

namespace hone::inline HONE_ABI::on_cpu {

inline constexpr std::size_t scratch_alignment = 64;

enum class scratch_for : unsigned char {
  rows,
  regions,
  class_weights,
  tensors,
  norms,
  detections,
  samples,
  channels,
  shards,
  ranks,
  linear
};

/// Aligned memory of the calling thread for one purpose. The thread's block grows to the largest request, is kept
/// between calls and is freed when the thread ends. Destructors of static and thread_local objects may run later:
/// memory that they request is freed with this object, as is all memory if a thread cannot free its block. Throws
/// std::bad_alloc before anything is written.
template <scratch_for>
class scratch {
 public:
  explicit scratch(std::size_t bytes) : data_(thread_has_ended() ? (own_ = allocate(bytes)) : thread_block(bytes)) {}
  scratch(scratch const&) = delete;
  scratch& operator=(scratch const&) = delete;
  ~scratch() { ::operator delete[](own_, alignment); }

  /// Returns memory of at least the requested size. The next scratch object of this purpose reuses the thread's block.
  std::byte* data() const noexcept { return data_; }

 private:
  static constexpr auto alignment = std::align_val_t(scratch_alignment);

  static std::byte* allocate(std::size_t bytes) { return static_cast<std::byte*>(::operator new[](bytes, alignment)); }

#if HONE_HAS_THREAD_DESTRUCTORS
  static bool& thread_has_ended() noexcept {
    static constinit thread_local bool ended = false;  // has no destructor, so it can be read at any time
    return ended;
  }
  static std::byte* thread_block(std::size_t bytes) {
    struct block {
      std::byte* data = nullptr;
      std::size_t size = 0;

      ~block() {
        ::operator delete[](data, alignment);
        thread_has_ended() = true;
      }
    };
    thread_local block all;
    if (bytes > all.size) {
      ::operator delete[](std::exchange(all.data, nullptr), alignment);
      all.size = 0;
      all.data = allocate(bytes);
      all.size = bytes;
    }
    return all.data;
  }
#else
  static bool thread_has_ended() noexcept { return true; }
  static std::byte* thread_block(std::size_t) noexcept { return nullptr; }
#endif

  std::byte* own_ = nullptr;
  std::byte* data_;
};

/// Divides scratch memory into aligned pieces.
class arena {
 public:
  explicit arena(std::byte* memory) noexcept : at_(memory) {}

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

}  // namespace hone::inline HONE_ABI::on_cpu

#include <hone/core/macros_pop.hpp>
