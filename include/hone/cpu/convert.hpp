// SPDX-License-Identifier: MIT
/// Numbers of one type become numbers of another: 16-bit ones by whole packs where the processor can.
#pragma once

#include <hone/core/number.hpp>
#include <hone/cpu/pack.hpp>

#include <concepts>
#include <cstring>

#if defined(__F16C__)
#include <immintrin.h>
#endif

namespace hone::on_cpu {

#if defined(__F16C__)
inline constexpr bool widens_half = true;
#else
inline constexpr bool widens_half = false;  // Eigen goes number by number, but in registers
#endif

/// Whether a pack of T is as wide as one of A.
template <class A, class T>
constexpr bool has_packs_of() noexcept {
  if constexpr (std::same_as<A, float> && (std::same_as<T, Eigen::half> || std::same_as<T, Eigen::bfloat16>))
    return int(Eigen::internal::packet_traits<T>::size) == pack<A>::size && pack<A>::size > 1;
  else
    return false;
}

/// n numbers, converted.
template <class A, class T>
void convert(T const* from, A* to, index n) noexcept;

/// As many numbers as a pack of A has, converted. Widening rounds nothing, so the bits are those of number by number,
/// but for what NaN carries.
template <class A, class T>
pack<A> load_as(T const* p) noexcept {
  if constexpr (std::same_as<A, T>) {
    return pack<A>::load(p);
  } else if constexpr (!has_packs_of<A, T>()) {
    A lanes[pack<A>::size];
    convert(p, lanes, pack<A>::size);
    return pack<A>::load(lanes);
#if defined(__F16C__)  // which Eigen 3.4 does not see under g++
  } else if constexpr (std::same_as<T, Eigen::half>) {
    if constexpr (pack<A>::size == 16)
      return pack<A>::of(_mm512_cvtph_ps(_mm256_loadu_si256(reinterpret_cast<__m256i const*>(p))));
    else
      return pack<A>::of(_mm256_cvtph_ps(_mm_loadu_si128(reinterpret_cast<__m128i const*>(p))));
#endif
  } else {
    using narrow = typename Eigen::internal::packet_traits<T>::type;
    return pack<A>::of(Eigen::internal::pcast<narrow, typename pack<A>::packet>(Eigen::internal::ploadu<narrow>(p)));
  }
}

/// A pack of A, rounded to the nearest, ties to even; the bits are those of number by number too.
template <class T, class A>
  requires(has_packs_of<A, T>())
void store_as(pack<A> x, T* p) noexcept {
#if defined(__F16C__)
  if constexpr (std::same_as<T, Eigen::half>) {
    if constexpr (pack<A>::size == 16)
      _mm256_storeu_si256(reinterpret_cast<__m256i*>(p), _mm512_cvtps_ph(x.v, _MM_FROUND_TO_NEAREST_INT));
    else
      _mm_storeu_si128(reinterpret_cast<__m128i*>(p), _mm256_cvtps_ph(x.v, _MM_FROUND_TO_NEAREST_INT));
    return;
  }
#endif
#if defined(__AVX512BF16__) && defined(__F16C__)  // whose instruction, Eigen's choice, takes subnormal numbers for 0
  if constexpr (std::same_as<T, Eigen::bfloat16> && pack<A>::size == 16) {
    const __m512i bits = _mm512_castps_si512(x.v),
                  odd = _mm512_and_si512(_mm512_srli_epi32(bits, 16), _mm512_set1_epi32(1)),
                  rounded =
                      _mm512_srli_epi32(_mm512_add_epi32(_mm512_add_epi32(bits, odd), _mm512_set1_epi32(0x7fff)), 16),
                  number = _mm512_mask_mov_epi32(rounded, _mm512_cmp_ps_mask(x.v, x.v, _CMP_UNORD_Q),
                                                 _mm512_set1_epi32(0x7fc0));
    _mm256_storeu_si256(reinterpret_cast<__m256i*>(p), _mm512_cvtepi32_epi16(number));
    return;
  }
#endif
  using narrow = typename Eigen::internal::packet_traits<T>::type;
  Eigen::internal::pstoreu(p, Eigen::internal::pcast<typename pack<A>::packet, narrow>(x.v));
}

template <class A, class T>
void convert(T const* from, A* to, index n) noexcept {
  if constexpr (std::same_as<A, T>) {
    std::memcpy(to, from, static_cast<std::size_t>(n) * sizeof(A));
  } else {
    index whole = 0;
    if constexpr (has_packs_of<A, T>() && (widens_half || !std::same_as<T, Eigen::half>)) {
      whole = n / pack<A>::size * pack<A>::size;
      for (index i = 0; i < whole; i += pack<A>::size) load_as<A>(from + i).store(to + i);
    } else if constexpr (has_packs_of<T, A>() && (widens_half || !std::same_as<A, Eigen::half>)) {
      whole = n / pack<T>::size * pack<T>::size;
      for (index i = 0; i < whole; i += pack<T>::size) store_as(pack<T>::load(from + i), to + i);
    }
    for (index i = whole; i < n; ++i) to[i] = static_cast<A>(from[i]);
  }
}

}  // namespace hone::on_cpu
