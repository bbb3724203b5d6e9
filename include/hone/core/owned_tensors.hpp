// SPDX-License-Identifier: MIT
/// A list of tensors that owns its numbers.
#pragma once

#include <hone/core/memory.hpp>
#include <hone/core/tensor_list.hpp>

#include <algorithm>
#include <cstddef>
#include <utility>
#include <vector>

#include <hone/core/macros_push.hpp>

namespace hone::inline HONE_ABI::detail {

/// One memory block. Every tensor starts at a multiple of 64 bytes and never moves. A copy has its own block.
template <class T, class Memory>
class owned_tensors {
 public:
  /// Allocates tensors with the sizes and shapes of `like`; the numbers are uninitialised.
  template <class U>
  explicit owned_tensors(tensor_list<U> const& like, Memory memory = {}) : block_(memory) {
    std::size_t bytes = 0;
    for (auto const& t : like) bytes += room_for(t.size);
    block_.allocate(bytes);
    std::byte* at = block_.data;
    for (auto const& t : like) {
      tensor<T> own(reinterpret_cast<T*>(at), t.rows, t.columns);
      own.size = t.size;
      list_.push_back(own);
      at += room_for(t.size);
    }
  }
  owned_tensors(owned_tensors const& other) : owned_tensors(other.list_, other.memory()) { assign(other.list_); }
  owned_tensors(owned_tensors&&) noexcept = default;
  owned_tensors& operator=(owned_tensors other) noexcept {
    std::swap(list_, other.list_), std::swap(block_, other.block_);
    return *this;
  }
  ~owned_tensors() = default;

  tensor_list<T> const& list() const noexcept { return list_; }

  template <class U>
  void assign(tensor_list<U> const& from) {
    memory().assign(list_, tensor_list<const U>(from));
  }
  void clear() {
    for (auto const& t : list_) memory().clear(t.data, bytes_of(t));
  }

  /// Returns the number of bytes of all tensors, without the padding between them.
  std::size_t bytes() const noexcept {
    std::size_t all = 0;
    for (auto const& t : list_) all += bytes_of(t);
    return all;
  }
  /// Calls sink(data, size) for consecutive pieces of at most 64 KiB, in the order of the tensors.
  template <class Sink>
  void read(Sink& sink) const {
    constexpr std::size_t buffer_bytes = std::size_t(1) << 16;
    std::vector<std::byte> buffer(buffer_bytes);
    for (auto const& t : list_)
      for (std::size_t at = 0, all = bytes_of(t); at < all; at += buffer_bytes) {
        const std::size_t size = std::min(buffer_bytes, all - at);
        memory().read(buffer.data(), reinterpret_cast<std::byte const*>(t.data) + at, size);
        sink(buffer.data(), size);
      }
  }
  void write(std::byte const* from) {
    for (auto const& t : list_) {
      if (t.size > 0) memory().write(t.data, from, bytes_of(t));
      from += bytes_of(t);
    }
  }

 private:
  /// Replaces std::unique_ptr, because its header takes longer to compile than this one.
  struct block {
    Memory memory;
    std::byte* data = nullptr;

    explicit block(Memory const& m) : memory(m) {}
    block(block&& other) noexcept : memory(other.memory), data(std::exchange(other.data, nullptr)) {}
    block& operator=(block&& other) noexcept {
      std::swap(memory, other.memory), std::swap(data, other.data);
      return *this;
    }
    ~block() {
      if (data) memory.release(data);
    }
    void allocate(std::size_t bytes) { data = memory.allocate(bytes); }
  };

  Memory const& memory() const noexcept { return block_.memory; }
  static constexpr std::size_t bytes_of(tensor<T> const& t) noexcept {
    return static_cast<std::size_t>(t.size) * sizeof(T);
  }
  static constexpr std::size_t room_for(index n) noexcept {
    return (static_cast<std::size_t>(n) * sizeof(T) + 63) / 64 * 64;
  }

  tensor_list<T> list_;
  block block_;
};

}  // namespace hone::inline HONE_ABI::detail

#include <hone/core/macros_pop.hpp>
