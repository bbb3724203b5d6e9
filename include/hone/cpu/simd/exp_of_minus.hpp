// SPDX-License-Identifier: MIT
/// exp(-a) of packs for a >= 0, which losses on a sigmoid need for both tails: its relative error does not grow with a.
/// -a = n ln 2 - r with |r| <= ln 2 / 2 and exp(-a) = 2^n exp(-r). ULP budget in tests/cpu/simd/math_test.cpp.
#pragma once

#include <hone/cpu/simd/exp.hpp>

#if defined(EIGEN_VECTORIZE_AVX512)
#include <immintrin.h>
#endif

#include <hone/core/macros_push.hpp>

HONE_AVX512_BEGIN
namespace hone::inline HONE_ABI::on_cpu {

/// Returns exp(-r), for r = inside + n ln 2 in [-ln 2 / 2, ln 2 / 2].
HONE_INLINE pack<float> exp_of_reduced(pack<float> inside, pack<float> n) noexcept {
  using V = pack<float>;
  constexpr float c[] = {-0.9999997072f, 0.4999914953f, -0.166676362f, 0.04189793005f, -0.008290314726f};
#if defined(EIGEN_VECTORIZE_FMA)
  // r rounds once if ln 2 is rounded. What this leaves out is added to the first coefficient, not to r, to save time.
  const V r = fma(n, V(0.693147182f), inside), one = fma(n, V(1.904654e-9f), V(1));
#else
  using k = exp_constants<float>;
  const V r = fma(n, V(k::ln2_low), exact(fma(n, V(k::ln2_high), inside))), one(1);
#endif
  const V square = r * r;
  const V low = fma(V(c[0]), r, one), high = fma(V(c[2]), r, V(c[1])), highest = fma(V(c[4]), r, V(c[3]));
  return fma(square * square, highest, fma(square, high, low));
}

/// Returns exp(-a) for a >= 0, infinity too. Results below the smallest normal number may be 0. NaN for NaN.
HONE_INLINE pack<double> exp_of_minus(pack<double> a) noexcept { return exp_of_nonpositive(-a); }
HONE_INLINE pack<float> exp_of_minus(pack<float> a) noexcept {
  using V = pack<float>;
#if defined(EIGEN_VECTORIZE_AVX512)
  if constexpr (V::size == 16) {
    const V inside = min(a, V(128));
    const V n = V::of(_mm512_roundscale_ps((inside * V(-log2_e)).v, _MM_FROUND_TO_NEAREST_INT | _MM_FROUND_NO_EXC));
    return V::of(_mm512_scalef_ps(exp_of_reduced(inside, n).v, n.v));
  }
#endif
  const V inside = min(a, V(88));
  const V n = nearest_of_nonpositive(inside * V(-log2_e));
  const bits<float> power = bits<float>::of(exp_of_reduced(inside, n)) + bits<float>::truncated(n).left<23>();
  return zero_where(a > V(-exp_constants<float>::normal), power.as_number());
}

}  // namespace hone::inline HONE_ABI::on_cpu
HONE_AVX512_END

#include <hone/core/macros_pop.hpp>
