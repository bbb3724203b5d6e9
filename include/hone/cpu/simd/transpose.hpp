// SPDX-License-Identifier: MIT
/// Transposes a square of numbers: as many registers as one register has lanes.
#pragma once

#include <hone/cpu/simd/pack.hpp>

#if defined(EIGEN_VECTORIZE_AVX512)
#include <immintrin.h>
#endif

#include <utility>

#include <hone/core/macros_push.hpp>

HONE_AVX512_BEGIN
namespace hone::inline HONE_ABI::on_cpu {

#if defined(__GNUC__) && !defined(__clang__)
#pragma GCC diagnostic push
#pragma GCC diagnostic ignored "-Wignored-attributes"  // a register type as a template argument
#endif
template <class A>
using square_of = packets::PacketBlock<typename pack<A>::packet, pack<A>::size>;
#if defined(__GNUC__) && !defined(__clang__)
#pragma GCC diagnostic pop
#endif

/// Calls body(0), body(1), …, body(N - 1) without a loop, which -O2 would not unroll: arrays stay in registers.
template <int N, class Body>
HONE_INLINE void unrolled(Body const& body) noexcept {
  [&]<int... I>(std::integer_sequence<int, I...>)
      HONE_INLINE_LAMBDA { (body(I), ...); }(std::make_integer_sequence<int, N>());
}

template <class A>
HONE_INLINE void transpose(square_of<A>& x) noexcept {
#if defined(EIGEN_VECTORIZE_AVX512)
  if constexpr (pack<A>::size == 16) {  // 64 shuffles, where Eigen's also splits and joins the registers
    __m512 t[16];
    unrolled<4>([&](index k) HONE_INLINE_LAMBDA {  // squares of 4 within 128 bits
      __m512 const* const r = x.packet + 4 * k;
      const __m512 low01 = _mm512_unpacklo_ps(r[0], r[1]), high01 = _mm512_unpackhi_ps(r[0], r[1]);
      const __m512 low23 = _mm512_unpacklo_ps(r[2], r[3]), high23 = _mm512_unpackhi_ps(r[2], r[3]);
      t[4 * k] = _mm512_shuffle_ps(low01, low23, 0x44), t[4 * k + 1] = _mm512_shuffle_ps(low01, low23, 0xee);
      t[4 * k + 2] = _mm512_shuffle_ps(high01, high23, 0x44), t[4 * k + 3] = _mm512_shuffle_ps(high01, high23, 0xee);
    });
    unrolled<4>([&](int k) HONE_INLINE_LAMBDA {  // the squares
      __m512* const r = x.packet + k;
      const __m512 even01 = _mm512_shuffle_f32x4(t[k], t[k + 4], 0x88),
                   odd01 = _mm512_shuffle_f32x4(t[k], t[k + 4], 0xdd);
      const __m512 even23 = _mm512_shuffle_f32x4(t[k + 8], t[k + 12], 0x88);
      const __m512 odd23 = _mm512_shuffle_f32x4(t[k + 8], t[k + 12], 0xdd);
      r[0] = _mm512_shuffle_f32x4(even01, even23, 0x88), r[8] = _mm512_shuffle_f32x4(even01, even23, 0xdd);
      r[4] = _mm512_shuffle_f32x4(odd01, odd23, 0x88), r[12] = _mm512_shuffle_f32x4(odd01, odd23, 0xdd);
    });
    return;
  }
#endif
  if constexpr (pack<A>::size > 1) packets::ptranspose(x);
}

}  // namespace hone::inline HONE_ABI::on_cpu
HONE_AVX512_END

#include <hone/core/macros_pop.hpp>
