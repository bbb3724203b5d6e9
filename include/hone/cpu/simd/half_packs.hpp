// SPDX-License-Identifier: MIT
/// Converts a pack of float from and to as many 16-bit numbers, by the fastest instructions that the compiler may use.
/// Widening is exact; narrowing rounds to the nearest number, ties to even.
#pragma once

#include <hone/cpu/simd/pack.hpp>

#include <cstring>

#if defined(__F16C__)
#include <immintrin.h>
#elif defined(EIGEN_VECTORIZE_NEON)
#include <arm_neon.h>
#endif

#include <hone/core/macros_push.hpp>

HONE_AVX512_BEGIN
namespace hone::inline HONE_ABI::on_cpu {

/// exist: load and store are available. fast: they are faster on arrays than the compiler's loop over single numbers.
template <class T>
struct half_packs {
  static constexpr bool exist = false, fast = false;
};

#if defined(EIGEN_VECTORIZE_NEON)

template <>
struct half_packs<Eigen::bfloat16> {
  static constexpr bool exist = true, fast = true;

  static pack<float> load(Eigen::bfloat16 const* p) noexcept {
    uint16x4_t narrow;
    std::memcpy(&narrow, p, sizeof narrow);
    return pack<float>::of(vreinterpretq_f32_u32(vshll_n_u16(narrow, 16)));
  }
  static void store(pack<float> x, Eigen::bfloat16* p) noexcept {
#if defined(__aarch64__) && defined(__ARM_FEATURE_BF16_VECTOR_ARITHMETIC)
    const auto narrow = vcvt_bf16_f32(x.v);
#else
    const uint32x4_t bits = vreinterpretq_u32_f32(x.v), odd = vandq_u32(vshrq_n_u32(bits, 16), vdupq_n_u32(1));
    const uint32x4_t rounded = vaddq_u32(vaddq_u32(bits, odd), vdupq_n_u32(0x7fff));
    const uint32x4_t quiet = vorrq_u32(bits, vdupq_n_u32(0x400000));  // NaN: rounding could carry it to infinity
    const uint16x4_t narrow = vshrn_n_u32(vbslq_u32(vceqq_f32(x.v, x.v), rounded, quiet), 16);
#endif
    static_assert(sizeof narrow == 4 * sizeof *p);
    std::memcpy(static_cast<void*>(p), &narrow, sizeof narrow);
  }
};

#if defined(__aarch64__)
template <>
struct half_packs<Eigen::half> {
  static constexpr bool exist = true, fast = true;

  static pack<float> load(Eigen::half const* p) noexcept {
    float16x4_t narrow;
    std::memcpy(&narrow, p, sizeof narrow);
    return pack<float>::of(vcvt_f32_f16(narrow));
  }
  static void store(pack<float> x, Eigen::half* p) noexcept {
    const float16x4_t narrow = vcvt_f16_f32(x.v);
    std::memcpy(static_cast<void*>(p), &narrow, sizeof narrow);
  }
};
#endif

#else

/// Converts with Eigen's packets of T.
template <class T>
struct eigen_half_packs {
  using narrow = typename packets::packet_traits<T>::type;
  using wide = typename pack<float>::packet;

  static pack<float> load(T const* p) noexcept {
    return pack<float>::of(packets::pcast<narrow, wide>(packets::ploadu<narrow>(p)));
  }
  static void store(pack<float> x, T* p) noexcept { packets::pstoreu(p, packets::pcast<wide, narrow>(x.v)); }
};
template <class T>
inline constexpr bool eigen_has_half_packs =
    int(packets::packet_traits<T>::size) == pack<float>::size && pack<float>::size > 1;

template <>
struct half_packs<Eigen::bfloat16> : eigen_half_packs<Eigen::bfloat16> {
  static constexpr bool exist = eigen_has_half_packs<Eigen::bfloat16>, fast = exist;

#if defined(__AVX512BF16__) && defined(__F16C__)  // Eigen uses its instruction, which flushes subnormal numbers to 0
  static void store(pack<float> x, Eigen::bfloat16* p) noexcept {
    const __m512i bits = _mm512_castps_si512(x.v),
                  odd = _mm512_and_si512(_mm512_srli_epi32(bits, 16), _mm512_set1_epi32(1)),
                  rounded =
                      _mm512_srli_epi32(_mm512_add_epi32(_mm512_add_epi32(bits, odd), _mm512_set1_epi32(0x7fff)), 16),
                  number = _mm512_mask_mov_epi32(rounded, _mm512_cmp_ps_mask(x.v, x.v, _CMP_UNORD_Q),
                                                 _mm512_set1_epi32(0x7fc0));
    _mm256_storeu_si256(reinterpret_cast<__m256i*>(p), _mm512_cvtepi32_epi16(number));
  }
#endif
};

#if defined(__F16C__)  // Eigen 3.4 does not detect it under g++
template <>
struct half_packs<Eigen::half> {
  static constexpr bool exist = eigen_has_half_packs<Eigen::half>, fast = exist;

  static pack<float> load(Eigen::half const* p) noexcept {
#if defined(EIGEN_VECTORIZE_AVX512)
    return pack<float>::of(_mm512_cvtph_ps(_mm256_loadu_si256(reinterpret_cast<__m256i const*>(p))));
#else
    return pack<float>::of(_mm256_cvtph_ps(_mm_loadu_si128(reinterpret_cast<__m128i const*>(p))));
#endif
  }
  static void store(pack<float> x, Eigen::half* p) noexcept {
#if defined(EIGEN_VECTORIZE_AVX512)
    _mm256_storeu_si256(reinterpret_cast<__m256i*>(p), _mm512_cvtps_ph(x.v, _MM_FROUND_TO_NEAREST_INT));
#else
    _mm_storeu_si128(reinterpret_cast<__m128i*>(p), _mm256_cvtps_ph(x.v, _MM_FROUND_TO_NEAREST_INT));
#endif
  }
};
#else
template <>
struct half_packs<Eigen::half> : eigen_half_packs<Eigen::half> {
  static constexpr bool exist = eigen_has_half_packs<Eigen::half>, fast = false;  // number by number, in registers
};
#endif

#endif

}  // namespace hone::inline HONE_ABI::on_cpu
HONE_AVX512_END

#include <hone/core/macros_pop.hpp>
