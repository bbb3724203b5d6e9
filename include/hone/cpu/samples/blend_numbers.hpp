// SPDX-License-Identifier: MIT
/// Blends two pieces of images into one, on the CPU.
#pragma once

#include <hone/cpu/memory/convert.hpp>
#include <hone/cpu/memory/streaming_store.hpp>
#include <hone/sample/blend.hpp>

#include <algorithm>
#include <bit>
#include <cstring>

#include <hone/core/macros_push.hpp>

namespace hone::inline HONE_ABI::on_cpu {

/// Blends at most a pack of numbers, also by a pack, so that the bits do not depend on the position of a number.
template <class A>
void blend_few(A const* own, A const* other, A* to, index n, pack<A> lambda, pack<A> complement) noexcept {
  A first[pack<A>::size] = {}, second[pack<A>::size] = {};
  std::copy_n(own, n, first);
  std::copy_n(other, n, second);
  detail::blended(pack<A>::load(first), pack<A>::load(second), lambda, complement).store(first);
  std::copy_n(first, n, to);
}

/// Blends n contiguous numbers; `to` may be own or other, unless PastCaches. `ahead` points to numbers that are read
/// next and are prefetched, because hardware prefetches only within a page.
template <bool PastCaches, class A>
void blend_numbers(A const* own, A const* other, A* to, index n, float lambda, A const* ahead) noexcept {
  using V = pack<A>;
  const V l(lambda), r(A(1) - A(lambda));
  index i = PastCaches ? std::min(n, before_aligned_pack(to)) : 0;
  blend_few(own, other, to, i, l, r);
  for (; i + V::size <= n; i += V::size) {
    packets::prefetch(ahead + i);
    const V mixed = detail::blended(V::load(own + i), V::load(other + i), l, r);
    PastCaches ? stream_pack(mixed, to + i) : mixed.store(to + i);
  }
  blend_few(own + i, other + i, to + i, n - i, l, r);
}

/// Blends two pieces in place, each with the other one.
template <class A>
void blend_pair(A* first, A* second, index n, float lambda_of_first, float lambda_of_second, A const* ahead,
                A const* further) noexcept {
  using V = pack<A>;
  const V l(lambda_of_first), r(A(1) - A(lambda_of_first)), m(lambda_of_second), s(A(1) - A(lambda_of_second));
  index i = 0;
  for (; i + V::size <= n; i += V::size) {
    packets::prefetch(ahead + i);
    packets::prefetch(further + i);
    const V a = V::load(first + i), b = V::load(second + i);
    detail::blended(a, b, l, r).store(first + i);
    detail::blended(b, a, m, s).store(second + i);
  }
  A tail[V::size] = {};
  std::copy_n(first + i, n - i, tail);
  blend_few<A>(first + i, second + i, first + i, n - i, l, r);
  blend_few<A>(second + i, tail, second + i, n - i, m, s);
}

/// Blends 16-bit numbers, in float.
template <class T>
  requires(sizeof(T) == 2)
void blend_numbers(T const* own, T const* other, T* to, index n, float lambda) noexcept {
  constexpr index block_size = 1024;
  float first[block_size], second[block_size];
  for (index i = 0; i < n; i += block_size) {
    const index m = std::min(block_size, n - i);
    convert(own + i, first, m);
    convert(other + i, second, m);
    blend_numbers<false>(first, second, first, m, lambda, first);
    convert(first, to + i, m);
  }
}

/// Blends bytes in blocks of fixed size, because -O2 vectorises only those. Adding 1.5 · 2^52 rounds to the nearest,
/// ties to even, and leaves the byte in the lowest bits.
inline void blend_numbers(std::uint8_t const* own, std::uint8_t const* other, std::uint8_t* to, index n,
                          float lambda) noexcept {
  constexpr index W = 64;
  const auto l = static_cast<double>(lambda);
  for (index i = 0; i < n; i += W) {
    const auto size = static_cast<std::size_t>(std::min(W, n - i));
    std::uint8_t first[W] = {}, second[W] = {};
    std::memcpy(first, own + i, size);
    std::memcpy(second, other + i, size);
    for (index j = 0; j < W; ++j)
      first[j] = static_cast<std::uint8_t>(
          std::bit_cast<std::uint64_t>(detail::blended_bytes(first[j], second[j], l) + 0x1.8p52));
    std::memcpy(to + i, first, size);
  }
}

/// Copies numbers unchanged, unless they are already in place.
template <class T>
void keep_numbers(T const* from, T* to, index n) noexcept {
  if (from != to) std::copy_n(from, n, to);
}

/// Copies features [begin, begin + n) of an image, with those of another image inside the box. The pointers are to
/// number `begin`.
template <class T>
void paste_numbers(T const* own, T const* other, T* to, index begin, index n, pixel_box box, index height,
                   index width) noexcept {
  keep_numbers(own, to, n);
  if (own == other || box.area() == 0) return;
  for (index line = begin / width; line * width < begin + n; ++line) {
    const index y = line % height;
    if (y < box.y1 || y >= box.y2) continue;
    const index from = std::max(line * width + box.x1 - begin, index(0)),
                end = std::min(line * width + box.x2 - begin, n);
    if (from < end) std::copy_n(other + from, end - from, to + from);
  }
}

}  // namespace hone::inline HONE_ABI::on_cpu

#include <hone/core/macros_pop.hpp>
