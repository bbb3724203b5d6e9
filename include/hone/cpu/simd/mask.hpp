// SPDX-License-Identifier: MIT
/// Masks: the results of comparing two registers, and operations on them. AVX-512 has mask registers, which Eigen 3.4
/// converts to lanes of bits and back at every use; otherwise a mask has lanes of all bits or no bits, or is a bool if
/// registers hold one number.
#pragma once

#include <hone/core/config.hpp>

#include <hone/cpu/simd/packet.hpp>

#include <bit>
#include <cstdint>
#include <type_traits>

#if defined(EIGEN_VECTORIZE_AVX512)
#include <immintrin.h>
#endif

#include <hone/core/macros_push.hpp>

HONE_AVX512_BEGIN
namespace hone::inline HONE_ABI::on_cpu {

/// The mask operations for registers of Lanes numbers T.
template <class T, int Lanes>
struct register_masks {
  using packet = typename packets::packet_traits<T>::type;
  using type = packet;

  static type less(packet a, packet b) noexcept { return packets::pcmp_lt(a, b); }
  static type less_equal(packet a, packet b) noexcept { return packets::pcmp_le(a, b); }
  static type equal(packet a, packet b) noexcept { return packets::pcmp_eq(a, b); }
  static type both(type a, type b) noexcept { return packets::pand(a, b); }
  static type either(type a, type b) noexcept { return packets::por(a, b); }
  static bool any(type m) noexcept {
    if constexpr (std::is_same_v<T, float>)
      return packets::predux_any(m);
    else  // Eigen 3.4 has predux_any only for registers of float
      return packets::predux(packets::pand(m, packets::pset1<packet>(T(1)))) > 0;
  }
  static bool all(type m) noexcept { return !any(packets::pandnot(packets::ptrue(m), m)); }
  static packet select(type m, packet yes, packet no) noexcept { return packets::pselect(m, yes, no); }
  static packet keep(type m, packet x) noexcept { return packets::pand(m, x); }
  static packet zero_where(type m, packet x) noexcept { return packets::pandnot(x, m); }
  static packet ones_where(type m, packet x) noexcept { return packets::por(m, x); }
};

template <class T>
struct register_masks<T, 1> {
  using packet = T;
  using type = bool;

  static type less(T a, T b) noexcept { return a < b; }
  static type less_equal(T a, T b) noexcept { return a <= b; }
  static type equal(T a, T b) noexcept { return a == b; }
  static type both(type a, type b) noexcept { return a && b; }
  static type either(type a, type b) noexcept { return a || b; }
  static bool any(type m) noexcept { return m; }
  static bool all(type m) noexcept { return m; }
  static T select(type m, T yes, T no) noexcept { return m ? yes : no; }
  static T keep(type m, T x) noexcept { return m ? x : T(0); }
  static T zero_where(type m, T x) noexcept { return m ? T(0) : x; }
  static T ones_where(type m, T x) noexcept {
    using bits = std::conditional_t<sizeof(T) == 4, std::uint32_t, std::uint64_t>;
    return m ? std::bit_cast<T>(static_cast<bits>(~bits(0))) : x;
  }
};

#if defined(EIGEN_VECTORIZE_AVX512)
template <>
struct register_masks<float, 16> {
  using packet = __m512;
  using type = __mmask16;

  static type less(packet a, packet b) noexcept { return _mm512_cmp_ps_mask(a, b, _CMP_LT_OQ); }
  static type less_equal(packet a, packet b) noexcept { return _mm512_cmp_ps_mask(a, b, _CMP_LE_OQ); }
  static type equal(packet a, packet b) noexcept { return _mm512_cmp_ps_mask(a, b, _CMP_EQ_OQ); }
  static type both(type a, type b) noexcept { return static_cast<type>(a & b); }
  static type either(type a, type b) noexcept { return static_cast<type>(a | b); }
  static bool any(type m) noexcept { return m != 0; }
  static bool all(type m) noexcept { return m == static_cast<type>(-1); }
  static packet select(type m, packet yes, packet no) noexcept { return _mm512_mask_blend_ps(m, no, yes); }
  static packet keep(type m, packet x) noexcept { return _mm512_maskz_mov_ps(m, x); }
  static packet zero_where(type m, packet x) noexcept { return _mm512_maskz_mov_ps(static_cast<type>(~m), x); }
  static packet ones_where(type m, packet x) noexcept {
    return _mm512_mask_mov_ps(x, m, _mm512_castsi512_ps(_mm512_set1_epi32(-1)));
  }
};
template <>
struct register_masks<double, 8> {
  using packet = __m512d;
  using type = __mmask8;

  static type less(packet a, packet b) noexcept { return _mm512_cmp_pd_mask(a, b, _CMP_LT_OQ); }
  static type less_equal(packet a, packet b) noexcept { return _mm512_cmp_pd_mask(a, b, _CMP_LE_OQ); }
  static type equal(packet a, packet b) noexcept { return _mm512_cmp_pd_mask(a, b, _CMP_EQ_OQ); }
  static type both(type a, type b) noexcept { return static_cast<type>(a & b); }
  static type either(type a, type b) noexcept { return static_cast<type>(a | b); }
  static bool any(type m) noexcept { return m != 0; }
  static bool all(type m) noexcept { return m == static_cast<type>(-1); }
  static packet select(type m, packet yes, packet no) noexcept { return _mm512_mask_blend_pd(m, no, yes); }
  static packet keep(type m, packet x) noexcept { return _mm512_maskz_mov_pd(m, x); }
  static packet zero_where(type m, packet x) noexcept { return _mm512_maskz_mov_pd(static_cast<type>(~m), x); }
  static packet ones_where(type m, packet x) noexcept {
    return _mm512_mask_mov_pd(x, m, _mm512_castsi512_pd(_mm512_set1_epi64(-1)));
  }
};
#endif

template <class T>
using masks_of = register_masks<T, packets::packet_traits<T>::size>;

/// The result of comparing packs. It does not convert to bool, so no formula can branch on it.
template <class T>
struct mask {
  typename masks_of<T>::type v;

  friend mask operator&(mask a, mask b) noexcept { return {masks_of<T>::both(a.v, b.v)}; }
  friend mask operator|(mask a, mask b) noexcept { return {masks_of<T>::either(a.v, b.v)}; }
};

}  // namespace hone::inline HONE_ABI::on_cpu
HONE_AVX512_END

#include <hone/core/macros_pop.hpp>
