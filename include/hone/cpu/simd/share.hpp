// SPDX-License-Identifier: MIT
/// The derivative of min by its first argument, for packs. AVX-512 has an instruction that maps the sign of a
/// difference to constants.
#pragma once

#include <hone/core/operand.hpp>
#include <hone/cpu/simd/pack.hpp>

#if defined(EIGEN_VECTORIZE_AVX512)
#include <immintrin.h>
#endif

#include <hone/core/macros_push.hpp>

HONE_AVX512_BEGIN
namespace hone::inline HONE_ABI::on_cpu {

/// Returns 1 if a < b, 0 if b < a, 1/2 on a tie or for NaN.
template <class T>
HONE_INLINE pack<T> share_of(pack<T> a, pack<T> b) noexcept {
  using V = pack<T>;
  return select(a < b, V(1), select(b < a, V(0), V(0.5)));
}

#if defined(EIGEN_VECTORIZE_AVX512)
/// One result for each class of numbers, from bit 0 on: NaN, signalling NaN, 0, 1, -inf, inf, negative, positive. 8, 10
/// and 11 are 0, 1 and 1/2.
inline constexpr int share_of_classes = static_cast<int>(0xa8a8abbbU);

HONE_INLINE pack<float> share_of(pack<float> a, pack<float> b) noexcept {
  const __m512 d = (b - a).v;
  return pack<float>::of(_mm512_fixupimm_ps(d, d, _mm512_set1_epi32(share_of_classes), 0));
}
HONE_INLINE pack<double> share_of(pack<double> a, pack<double> b) noexcept {
  const __m512d d = (b - a).v;
  return pack<double>::of(_mm512_fixupimm_pd(d, d, _mm512_set1_epi64(static_cast<unsigned>(share_of_classes)), 0));
}
#endif

}  // namespace hone::inline HONE_ABI::on_cpu
HONE_AVX512_END

#include <hone/core/macros_pop.hpp>
