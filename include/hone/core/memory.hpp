// SPDX-License-Identifier: MIT
/// The memory of numbers that hone owns.
#pragma once

#include <hone/core/narrowed.hpp>
#include <hone/core/tensor_list.hpp>

#include <cstddef>
#include <cstring>
#include <new>
#include <type_traits>

#include <hone/core/macros_push.hpp>

namespace hone::inline HONE_ABI {

/// The memory of this process. Owners of numbers call only these functions of a memory type, so a type with the same
/// functions can keep the numbers on a device.
struct host_memory {
  static constexpr std::size_t alignment = 64;

  static std::byte* allocate(std::size_t bytes) {
    return static_cast<std::byte*>(::operator new(bytes, std::align_val_t(alignment)));
  }
  static void release(std::byte* p) noexcept { ::operator delete(p, std::align_val_t(alignment)); }

  static void clear(void* to, std::size_t bytes) noexcept {
    if (bytes > 0) std::memset(to, 0, bytes);
  }
  /// Copies `from` to `to`, tensor by tensor, and converts the numbers. Both lists are in this memory.
  template <class T, class U>
  static void assign(tensor_list<T> const& to, tensor_list<U> const& from) noexcept {
    for (std::size_t i = 0; i < to.size(); ++i) {
      T* const x = to[i].data;
      U* const y = from[i].data;
      if constexpr (std::is_same_v<T, std::remove_const_t<U>>) {
        if (to[i].size > 0) std::memcpy(x, y, static_cast<std::size_t>(to[i].size) * sizeof(T));
      } else {
        for (index k = 0; k < to[i].size; ++k) x[k] = detail::narrowed<T>(y[k]);
      }
    }
  }
  /// Copy bytes from this memory to the process (read), and from the process to this memory (write).
  static void read(void* to, void const* from, std::size_t bytes) noexcept { std::memcpy(to, from, bytes); }
  static void write(void* to, void const* from, std::size_t bytes) noexcept { std::memcpy(to, from, bytes); }

  /// One small object in this memory.
  template <class V>
  class cell {
   public:
    cell(host_memory, V const& value) noexcept : value_(value) {}
    V get() const noexcept { return value_; }
    void set(V const& value) noexcept { value_ = value; }

   private:
    V value_;
  };
};

}  // namespace hone::inline HONE_ABI

#include <hone/core/macros_pop.hpp>
