// SPDX-License-Identifier: MIT
/// Where numbers lie that hone owns.
#pragma once

#include <hone/core/number.hpp>

#include <cstddef>
#include <cstring>
#include <new>
#include <type_traits>

namespace hone {

/// The memory of this process. A state asks nothing else of a memory than these functions, so that its numbers can
/// lie on a device too.
struct host_memory {
  static constexpr std::size_t alignment = 64;

  static std::byte* allocate(std::size_t bytes) {
    return static_cast<std::byte*>(::operator new(bytes, std::align_val_t(alignment)));
  }
  static void release(std::byte* p) noexcept { ::operator delete(p, std::align_val_t(alignment)); }

  static void clear(void* to, std::size_t bytes) noexcept {
    if (bytes > 0) std::memset(to, 0, bytes);
  }
  /// n numbers of such memory, converted.
  template <class T, class U>
  static void assign(T* to, U const* from, index n) noexcept {
    if constexpr (std::is_same_v<T, U>) {
      if (n > 0) std::memcpy(to, from, static_cast<std::size_t>(n) * sizeof(T));
    } else {
      for (index i = 0; i < n; ++i) to[i] = static_cast<T>(from[i]);
    }
  }
  /// Bytes to and from this process.
  static void read(void* to, void const* from, std::size_t bytes) noexcept { std::memcpy(to, from, bytes); }
  static void write(void* to, void const* from, std::size_t bytes) noexcept { std::memcpy(to, from, bytes); }
};

}  // namespace hone
