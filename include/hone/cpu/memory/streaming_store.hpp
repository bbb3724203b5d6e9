// SPDX-License-Identifier: MIT
/// Stores that bypass the caches, for outputs larger than the caches. Every cache line is written once and in full.
#pragma once

#include <hone/cpu/memory/row_layout.hpp>

#include <cstdint>
#include <cstring>

#if defined(__AVX__)
#include <immintrin.h>
#elif defined(__SSE2__)
#include <emmintrin.h>
#endif

#include <hone/core/macros_push.hpp>

namespace hone::inline HONE_ABI::on_cpu {

/// Outputs of at least this many bytes are streamed.
inline constexpr std::size_t streaming_from = std::size_t(8) << 20;

/// Copies n numbers, bypassing the caches if the processor and the addresses allow it.
template <class A>
void stream_copy(A const* from, A* to, index n) noexcept {
#if defined(__SSE2__)
  const auto misaligned = static_cast<index>(reinterpret_cast<std::uintptr_t>(to) % 32 / sizeof(A));
  const index head = std::min(n, misaligned == 0 ? index(0) : index(32 / sizeof(A)) - misaligned);
  convert(from, to, head);
  index i = head;
  for (constexpr index step = 32 / sizeof(A); i + step <= n; i += step) {
#if defined(__AVX__)
    _mm256_stream_si256(reinterpret_cast<__m256i*>(to + i),
                        _mm256_loadu_si256(reinterpret_cast<__m256i const*>(from + i)));
#else
    for (int half = 0; half < 2; ++half)
      _mm_stream_si128(reinterpret_cast<__m128i*>(to + i) + half,
                       _mm_loadu_si128(reinterpret_cast<__m128i const*>(from + i) + half));
#endif
  }
  convert(from + i, to + i, n - i);
#else
  convert(from, to, n);
#endif
}

/// Stores a pack at an aligned address, bypassing the caches; an ordinary store if there is no such instruction.
template <class A>
void stream_pack(pack<A> x, A* to) noexcept {
#if defined(__SSE2__)
  if constexpr (sizeof x.v == 16) {
    __m128i bits;
    std::memcpy(&bits, &x.v, sizeof bits);
    return _mm_stream_si128(reinterpret_cast<__m128i*>(to), bits);
  }
#endif
#if defined(__AVX__)
  if constexpr (sizeof x.v == 32) {
    __m256i bits;
    std::memcpy(&bits, &x.v, sizeof bits);
    return _mm256_stream_si256(reinterpret_cast<__m256i*>(to), bits);
  }
#endif
#if defined(__AVX512F__)
  if constexpr (sizeof x.v == 64) {
    __m512i bits;
    std::memcpy(&bits, &x.v, sizeof bits);
    return _mm512_stream_si512(reinterpret_cast<__m512i*>(to), bits);
  }
#endif
  x.store(to);
}

/// Returns how many numbers precede the first address that is aligned for a pack.
template <class A>
index before_aligned_pack(A const* p) noexcept {
  const auto off = static_cast<index>(reinterpret_cast<std::uintptr_t>(p) % sizeof(pack<A>) / sizeof(A));
  return off == 0 ? 0 : pack<A>::size - off;
}

/// Makes streamed stores visible before the call returns.
inline void stream_fence() noexcept {
#if defined(__SSE2__)
  _mm_sfence();
#endif
}

}  // namespace hone::inline HONE_ABI::on_cpu

#include <hone/core/macros_pop.hpp>
